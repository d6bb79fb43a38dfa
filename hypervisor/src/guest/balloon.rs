//! The device side of the balloon: the guest gives pages, takes them back, reports them free.

use super::memory::GuestMemory;
use super::slot::Slots;
use crate::domain::Domain;
use crate::memory::frames::{self, Tables};
use crate::service;
use abi::event::{Event as Message, kind};
use abi::{BlockRef, Error};
use alloc::sync::Arc;
use heapless::Vec;
use pages::state::{Event, PageState};
use paging::{Gfn, Mfn};
use virtio::balloon::{self, BATCH, Role};
use virtio::balloon_stats::Statistics;
use virtio::breach::QueueError;
use virtio::chain::ChainSegment;

/// Works off a queue: true if the guest wants an interrupt.
pub fn work(
    domain: &Arc<Domain>,
    memory: &mut GuestMemory,
    slots: &mut Slots,
    slot: usize,
    queue: u16,
) -> Result<bool, QueueError> {
    let Some(device) = slots.devices[slot].as_mut() else { return Ok(false) };
    let Some(role) = Role::of(queue, device.features()) else { return Ok(false) };
    let mut interrupt = false;
    let mut segments = Vec::<ChainSegment, 64>::new();
    while let Some(virtqueue) = device.queue(queue) {
        let Some(chain) = virtqueue.pop(memory, &mut segments)? else { break };
        let mut back = Some(chain.head);
        match role {
            Role::Inflate | Role::Deflate => exchange(domain, memory, &segments, role)?,
            Role::Statistics => {
                let statistics = Statistics::read(memory, &segments).unwrap_or(Statistics::NONE);
                back = slots.balloon.received(chain.head, statistics);
            }
            Role::Reporting => {
                for run in balloon::reported(&segments) {
                    let end = run.first.saturating_add(run.count).min(memory.end().0);
                    give_all(domain, memory, run.first..end, Event::Discard);
                }
            }
        }
        if let Some(head) = back {
            interrupt |= virtqueue.push_used(memory, head, 0)?;
        }
    }
    if interrupt {
        device.raise_used();
    }
    Ok(interrupt)
}

fn exchange(
    domain: &Arc<Domain>,
    memory: &mut GuestMemory,
    segments: &[ChainSegment],
    role: Role,
) -> Result<(), QueueError> {
    let mut first = 0;
    loop {
        let numbers: Vec<u32, BATCH> = balloon::frames(memory, segments, first).map_err(|_| QueueError::NotLive(0))?;
        if numbers.is_empty() {
            return Ok(());
        }
        first += BATCH as u32;
        if role == Role::Inflate {
            give_all(domain, memory, numbers.iter().map(|&n| n.into()), Event::Balloon);
        } else {
            for &number in &numbers {
                let _ = memory.p2m.apply(&Tables, Gfn(number.into()), Event::Deflate);
            }
        }
    }
}

/// Gives pages back in batches with one flush each. Pages that are not RAM, or in a state that does not
/// allow it (a read under way), stay as they are.
fn give_all(domain: &Arc<Domain>, memory: &mut GuestMemory, pages: impl IntoIterator<Item = u64>, event: Event) {
    let mut batch = Vec::<Gfn, 64>::new();
    for page in pages {
        if memory.is_ram(page << 12) && batch.push(Gfn(page)).is_ok() && batch.is_full() {
            give(domain, memory, &batch, event);
            batch.clear();
        }
    }
    give(domain, memory, &batch, event);
}

fn give(domain: &Arc<Domain>, memory: &mut GuestMemory, batch: &[Gfn], event: Event) {
    let resident: Vec<Gfn, 64> = batch
        .iter()
        .copied()
        .filter(|&gfn| matches!(memory.p2m.get(&Tables, gfn), Ok(PageState::Resident { .. })))
        .collect();
    if !resident.is_empty() {
        memory.nested.unmap_batch(&resident, || crate::sched::shoot_down(domain));
    }
    for &gfn in batch {
        // A page on its way in is left: its content comes, and is only not used.
        if matches!(memory.p2m.get(&Tables, gfn), Ok(PageState::PagingIn { .. })) {
            continue;
        }
        let Ok((before, _)) = memory.p2m.apply(&Tables, gfn, event) else { continue };
        match before {
            PageState::Resident { mfn, .. } | PageState::PagingOut { mfn, .. } => release_frame(mfn),
            PageState::Swapped { block } => release_block(domain, gfn, block),
            _ => {}
        }
    }
}

fn release_frame(mfn: Mfn) {
    frames::free(mfn);
}

/// Without room for the event the block stays counted until the daemon's next start counts anew.
fn release_block(domain: &Domain, gfn: Gfn, block: BlockRef) {
    service::post(&Message { kind: kind::RELEASE, domain: domain.id, args: [gfn.0, block.0, 0, 0, 0, 0, 0] }, &[]);
}

/// `SET_BALLOON`: true if the guest is to be interrupted, and the slot.
pub fn set_target(slots: &mut Slots, pages: u64) -> Result<Option<usize>, Error> {
    let pages = u32::try_from(pages).map_err(|_| Error::Invalid)?;
    let is_balloon = |device: &Option<alloc::boxed::Box<virtio::mmio::Device>>| {
        device.as_ref().is_some_and(|device| device.id() == abi::platform::VIRTIO_BALLOON)
    };
    let slot = slots.devices.iter().position(is_balloon).ok_or(Error::NotFound)?;
    let Some(device) = slots.devices[slot].as_mut() else { return Err(Error::NotFound) };
    let actual = balloon::actual(device.config().bytes());
    let told = device.set_config(0, &balloon::config(pages, actual)).ok_or(Error::State)?;
    slots.balloon_target = pages.into();
    Ok(told.then_some(slot))
}
