//! The device side of the balloon: the guest gives pages, takes them back, reports them free.

use super::Guest;
use super::memory::GuestMemory;
use super::requests::interrupt;
use super::slot::Slots;
use crate::cpu::time;
use crate::domain::Domain;
use crate::memory::frames;
use crate::memory::tables::Tables;
use crate::service;
use abi::BlockRef;
use abi::event::{Event as Message, kind};
use abi::platform::{VIRTIO_BALLOON, VIRTIO_GSI};
use alloc::sync::Arc;
use heapless::Vec;
use pages::state::{Event, PageState};
use paging::Gfn;
use virtio::balloon::{self, BATCH, Role};
use virtio::balloon_stats::Statistics;
use virtio::breach::QueueError;
use virtio::chain::ChainSegment;

/// Frame numbers of one turn. A guest can offer any number at once, and with them all interrupts
/// would wait.
const TURN: u32 = 2048;
const SECOND: u64 = 1_000_000_000;

/// What a turn came to.
pub struct Worked {
    /// The guest wants an interrupt.
    pub interrupt: bool,
    /// Nothing is left; otherwise there has to be another turn.
    pub is_done: bool,
}

/// A chain that is being worked off.
pub struct Chain {
    queue: u16,
    head: u16,
    segments: Vec<ChainSegment, 64>,
    /// Frame numbers that are done.
    at: u64,
}

impl Chain {
    /// The queue that it came from.
    pub const fn queue(&self) -> u16 {
        self.queue
    }
}

/// Asks the guest for new statistics, at most once a second: what it hands in is told the next time.
pub fn ask_statistics(domain: &Domain, guest: &Guest) {
    let mut slots = guest.devices.lock();
    let now = time::since_start_ns();
    if now.saturating_sub(slots.statistics_asked) < SECOND {
        return;
    }
    let Slots { devices, balloon, statistics_asked, .. } = &mut *slots;
    let found = devices.iter_mut().zip(0..).find_map(|(device, slot)| {
        let device = device.as_mut().filter(|device| device.id() == VIRTIO_BALLOON)?;
        let features = device.features();
        let queue = (0..device.queues()).find(|&queue| Role::of(queue, features) == Some(Role::Statistics))?;
        Some((slot, device, queue))
    });
    let Some((slot, device, queue)) = found else { return };
    let Some(head) = balloon.ask() else { return };
    *statistics_asked = now;
    let mut memory = guest.memory.lock();
    let pushed = device.queue(queue).map(|virtqueue| virtqueue.push_used(&mut *memory, head, 0));
    match pushed {
        Some(Ok(true)) => device.raise_used(),
        Some(Err(QueueError::NotPresent(gfn))) => {
            // Kept for the next time; the page will be there then.
            let latest = *balloon.latest();
            balloon.received(head, latest);
            memory.want(domain, gfn);
            return;
        }
        // A ring that is not in memory ends the guest when its driver next uses it.
        _ => return,
    }
    drop(memory);
    drop(slots);
    interrupt(domain, guest, VIRTIO_GSI + slot);
}

/// Works off a queue for one turn.
pub fn work(
    domain: &Arc<Domain>,
    memory: &mut GuestMemory,
    slots: &mut Slots,
    slot: usize,
    queue: u16,
) -> Result<Worked, QueueError> {
    let mut worked = Worked { interrupt: false, is_done: true };
    match turn(domain, memory, slots, slot, queue, &mut worked) {
        // What was done so far is told first; the next turn meets the error again.
        Err(_) if worked.interrupt => worked.is_done = false,
        result => result?,
    }
    if worked.interrupt
        && let Some(device) = slots.devices[slot].as_mut()
    {
        device.raise_used();
    }
    Ok(worked)
}

fn turn(
    domain: &Arc<Domain>,
    memory: &mut GuestMemory,
    slots: &mut Slots,
    slot: usize,
    queue: u16,
    worked: &mut Worked,
) -> Result<(), QueueError> {
    let Slots { devices, balloon, chain, .. } = slots;
    let Some(device) = devices[slot].as_mut() else { return Ok(()) };
    let role = Role::of(queue, device.features()).filter(|_| device.queue(queue).is_some());
    let Some(role) = role else {
        // Also a device that broke in the middle of a chain: nobody may wait for the chain's end.
        *chain = None;
        return Ok(());
    };
    let mut left = TURN;
    while let Some(virtqueue) = device.queue(queue) {
        if chain.as_ref().is_none_or(|chain| chain.queue != queue) {
            let mut segments = Vec::new();
            let Some(next) = virtqueue.pop(memory, &mut segments)? else { break };
            left = left.saturating_sub(next.segments.into());
            *chain = Some(Chain { queue, head: next.head, segments, at: 0 });
        }
        let Some(now) = chain.as_mut() else { break };
        let mut back = Some(now.head);
        left = left.saturating_sub(1);
        if role == Role::Statistics {
            let statistics = Statistics::read(memory, &now.segments)?;
            back = balloon.received(now.head, statistics);
        } else if !exchange(domain, memory, now, role, &mut left)? {
            worked.is_done = false;
            break;
        }
        if let Some(head) = back {
            worked.interrupt |= virtqueue.push_used(memory, head, 0)?;
        }
        *chain = None;
        if left == 0 {
            worked.is_done = false;
            break;
        }
    }
    Ok(())
}

/// Goes on with a chain of frame numbers; true when it is done.
fn exchange(
    domain: &Arc<Domain>,
    memory: &mut GuestMemory,
    chain: &mut Chain,
    role: Role,
    left: &mut u32,
) -> Result<bool, QueueError> {
    while *left > 0 {
        let pages = if role == Role::Reporting {
            reported(&chain.segments, chain.at, memory.end().0)
        } else {
            let Ok(first) = u32::try_from(chain.at) else { return Ok(true) };
            let numbers = balloon::frames(memory, &chain.segments, first)?;
            numbers.iter().map(|&number| number.into()).collect()
        };
        if pages.is_empty() {
            return Ok(true);
        }
        let done = match role {
            Role::Inflate => give_all(domain, memory, &pages, Event::Balloon),
            Role::Reporting => give_all(domain, memory, &pages, Event::Discard),
            _ => pages.iter().fold(true, |_, &page| {
                let _ = memory.p2m.apply(&Tables, Gfn(page), Event::Deflate);
                true
            }),
        };
        if !done {
            // The same pages again when there is room: those that were given are not there to be given twice.
            return Err(QueueError::NotLive(0));
        }
        chain.at += pages.len() as u64;
        *left = left.saturating_sub(pages.len() as u32);
    }
    Ok(false)
}

/// The reported pages below `end`, from number `at` on.
fn reported(segments: &[ChainSegment], at: u64, end: u64) -> Vec<u64, BATCH> {
    let mut skip = at;
    let mut pages = Vec::new();
    for run in balloon::reported(segments) {
        let last = run.first.saturating_add(run.count).min(end);
        let count = last.saturating_sub(run.first);
        let from = run.first + skip.min(count);
        skip -= skip.min(count);
        let room = (pages.capacity() - pages.len()) as u64;
        pages.extend(from..last.min(from.saturating_add(room)).max(from));
        if pages.is_full() {
            break;
        }
    }
    pages
}

/// Gives pages back in batches with one flush each. Pages that are not RAM, or in a state that does not
/// allow it (a read under way), stay as they are. False if dom0 could not be told of all content that was given
/// up: the pages with the rest of it are as they were.
fn give_all(domain: &Arc<Domain>, memory: &mut GuestMemory, pages: &[u64], event: Event) -> bool {
    let mut batch = Vec::<Gfn, 64>::new();
    for &page in pages {
        if memory.is_ram(page << 12) && batch.push(Gfn(page)).is_ok() && batch.is_full() {
            if !give(domain, memory, &batch, event) {
                return false;
            }
            batch.clear();
        }
    }
    give(domain, memory, &batch, event)
}

fn give(domain: &Arc<Domain>, memory: &mut GuestMemory, batch: &[Gfn], event: Event) -> bool {
    let resident: Vec<Gfn, 64> = batch
        .iter()
        .copied()
        .filter(|&gfn| matches!(memory.p2m.get(&Tables, gfn), Ok(PageState::Resident { .. })))
        .collect();
    let mut still_mapped = Vec::<Gfn, 64>::new();
    if !resident.is_empty() {
        let unmapped = memory.nested.unmap_batch(&resident, || crate::sched::shoot_down(domain));
        still_mapped.extend(resident.iter().zip(&unmapped).filter(|(_, dirty)| dirty.is_none()).map(|(&gfn, _)| gfn));
    }
    let mut all = true;
    for &gfn in batch.iter().filter(|gfn| !still_mapped.contains(gfn)) {
        match memory.p2m.get(&Tables, gfn) {
            // A page on its way in is left: its content comes, and is only not used.
            Ok(PageState::PagingIn { .. }) => continue,
            Ok(PageState::Swapped { block }) if !all || !release(domain, gfn, block) => {
                all = false;
                continue;
            }
            _ => {}
        }
        if let Ok((PageState::Resident { mfn, .. } | PageState::PagingOut { mfn, .. }, _)) =
            memory.p2m.apply(&Tables, gfn, event)
        {
            frames::free(mfn, memory.owner);
        }
    }
    all
}

/// Tells dom0 that nothing refers to this content any more; false if there is no room for the event.
fn release(domain: &Domain, gfn: Gfn, block: BlockRef) -> bool {
    service::post(&Message { kind: kind::RELEASE, domain: domain.id, args: [gfn.0, block.0, 0, 0, 0, 0, 0] }, &[])
}
