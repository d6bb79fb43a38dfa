//! Virtqueue requests: from the guest's queues to dom0 and back.
//!
//! [`pump`] moves what a guest made available into events, as far as the ring has room. What found
//! none waits where it is (in the queue, or unposted in the list) and the guest is marked stalled;
//! dom0's next doorbell pumps again. Nothing is lost when no daemon is attached.

use super::io_pages::Rules;
use super::memory::Touched;
use super::notices::{send_uart, tell_end, tell_status};
use super::slot::{Request, Slots};
use super::{Guest, balloon, completion, is_dying, list, reclaim, wake};
use crate::domain::{Domain, End, Reason, deliver};
use crate::service;
use abi::domain::DomainFlags;
use abi::event::{Event, HEADER_BYTES, MAX_SEGMENTS, RequestDetail, Segment, kind, segment};
use abi::platform::{VIRTIO_BALLOON, VIRTIO_BLOCK, VIRTIO_GSI, VIRTIO_SLOTS};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use virtio::breach::{Breach, QueueError};
use virtio::chain::ChainSegment;
use virtio::mmio::Device;
use virtio::{copy as chain_copy, split};
use zerocopy::IntoBytes;

/// Why a queue was left before it was empty.
enum Stop {
    /// The event ring or the list is full.
    Full,
    /// The guest broke the specification.
    Breach(usize, u16, Breach),
}

type SlotList = heapless::Vec<usize, { VIRTIO_SLOTS as usize }>;

/// Does what waits: completions, page-ins and live requests that dom0 does not know of, new chains,
/// the guest's end.
#[inline(never)]
pub fn pump(domain: &Arc<Domain>) {
    let Some(guest) = domain.guest() else { return };
    // Nothing is taken from queues of a guest that has ended, and nothing put into the memory of one that is being
    // torn down: teardown goes over it once.
    if domain.has_ended() || is_dying(domain) {
        guest.stalled.store(false, Ordering::Release);
        tell_end(domain, guest);
        return;
    }
    {
        let mut slots = guest.devices.lock();
        // Before it is tried: room that dom0 makes meanwhile is then not overlooked.
        guest.stalled.store(true, Ordering::Release);
        match move_on(domain, guest, &mut slots) {
            Ok(true) => guest.stalled.store(false, Ordering::Release),
            Ok(false) | Err(Stop::Full) => {}
            Err(Stop::Breach(slot, queue, breach)) => end_for(domain, slot, queue, breach),
        }
    }
    tell_end(domain, guest);
    // Rings may have been put into fresh pages, and requests may wait for pages to leave.
    reclaim(domain, guest);
    feed(domain, guest);
    // The balloon may have given pages back, and there may be room to ask for others.
    wake::room_came(domain);
}

/// A request waits for a frame: it goes on in the guest's own time if there is one now, and with dom0's next answer if
/// pages are leaving. If there never will be one the guest ends, as when a vCPU touches such a page.
fn feed(domain: &Domain, guest: &Guest) {
    let mut memory = guest.memory.lock();
    let Some(gfn) = memory.swap.starved.take().filter(|_| !memory.is_crowded()) else { return };
    let touched = memory.touch(gfn);
    drop(memory);
    if touched == Touched::NoFrame {
        domain.end(End { reason: Reason::OutOfMemory, detail: gfn.0 });
    } else {
        guest.unfinished.store(true, Ordering::Release);
    }
}

/// One more turn of work that was too much for one; true if there was any.
pub fn go_on(domain: &Arc<Domain>) -> bool {
    let unfinished = domain.guest().is_some_and(|guest| guest.unfinished.swap(false, Ordering::AcqRel));
    if unfinished {
        pump(domain);
    }
    unfinished
}

/// Ends a guest that broke the specification.
pub(super) fn end_for(domain: &Domain, slot: usize, queue: u16, breach: Breach) {
    crate::log::warn_limited!("domain {}: virtio slot {slot} queue {queue}: {breach}", domain.id);
    domain.end(End { reason: Reason::BadVirtqueue, detail: (slot as u64) << 32 | u64::from(queue) });
}

/// True if nothing waits any more. Requests of one device stay in order; devices do not wait for
/// each other.
fn move_on(domain: &Arc<Domain>, guest: &Guest, slots: &mut Slots) -> Result<bool, Stop> {
    let finished = completion::finish_all(domain, guest, slots);
    let asked = guest.memory.lock().ask_again(domain);
    let untold = tell_status(domain, slots);
    let said = send_uart(domain, guest, &mut slots.uart);
    let mut blocked = post_waiting(domain, guest, slots, untold)?;
    // dom0 has no part in the balloon's queues.
    let may_go = |slot: &usize| blocked & 1 << slot == 0 || is(&slots.devices, *slot, VIRTIO_BALLOON);
    for slot in (0..VIRTIO_SLOTS as usize).filter(may_go).collect::<SlotList>() {
        match collect(domain, guest, slots, slot) {
            Err(Stop::Full) => blocked |= 1 << slot,
            result => result?,
        }
    }
    Ok(finished && asked && said && blocked == 0)
}

/// The slots whose requests could not all be posted, a bit a slot; `blocked` are some to begin with.
fn post_waiting(domain: &Domain, guest: &Guest, slots: &mut Slots, mut blocked: u32) -> Result<u32, Stop> {
    let Slots { live, devices, .. } = slots;
    for request in live.iter_mut().filter(|request| !request.posted && request.done.is_none()) {
        if blocked & 1 << request.slot != 0 {
            continue;
        }
        match post(domain, guest, is(devices, request.slot, VIRTIO_BLOCK), request) {
            Err(Stop::Full) => blocked |= 1 << request.slot,
            result => result?,
        }
    }
    Ok(blocked)
}

/// [`Slots::is`] where the list of requests is in use.
fn is(devices: &[Option<Box<Device>>], slot: usize, id: u32) -> bool {
    devices.get(slot).and_then(Option::as_ref).is_some_and(|device| device.id() == id)
}

/// Takes new chains from the queues of a slot that were notified.
fn collect(domain: &Arc<Domain>, guest: &Guest, slots: &mut Slots, slot: usize) -> Result<(), Stop> {
    while slots.notified[slot] != 0 {
        let queue = match &slots.chain {
            // One chain of the balloon's is worked off at a time, to its end.
            Some(chain) if is(&slots.devices, slot, VIRTIO_BALLOON) => chain.queue(),
            _ => slots.notified[slot].trailing_zeros() as u16,
        };
        if is(&slots.devices, slot, VIRTIO_BALLOON) {
            // To its end: what the guest puts there from now on it notifies of.
            if !work_balloon(domain, guest, slots, slot, queue)? {
                return Ok(());
            }
            slots.notified[slot] &= !(1 << queue);
            continue;
        }
        while let Some(mut request) = next(domain, guest, slots, slot, queue)? {
            let posted = post(domain, guest, is(&slots.devices, slot, VIRTIO_BLOCK), &mut request);
            slots.live.push(request);
            posted?;
        }
        slots.notified[slot] &= !(1 << queue);
    }
    Ok(())
}

/// The balloon's queues are worked off here: dom0 has no part in them. False if there is more than
/// one turn may take.
fn work_balloon(domain: &Arc<Domain>, guest: &Guest, slots: &mut Slots, slot: usize, queue: u16) -> Result<bool, Stop> {
    let mut memory = guest.memory.lock();
    let worked = balloon::work(domain, &mut memory, slots, slot, queue);
    if let Err(QueueError::NotPresent(gfn)) = worked {
        memory.want(domain, gfn);
    }
    drop(memory);
    match worked {
        Ok(work) => {
            if work.interrupt {
                interrupt(domain, guest, VIRTIO_GSI + slot as u32);
            }
            guest.unfinished.store(!work.is_done, Ordering::Release);
            Ok(work.is_done)
        }
        Err(QueueError::Breach(breach)) => Err(Stop::Breach(slot, queue, breach)),
        Err(_) => Err(Stop::Full),
    }
}

/// The next chain of a queue as a request; `None` if the queue is empty or not in use.
fn next(
    guest_domain: &Domain,
    guest: &Guest,
    slots: &mut Slots,
    slot: usize,
    queue: u16,
) -> Result<Option<Request>, Stop> {
    let Some(room) = slots.room() else { return Err(Stop::Full) };
    let Some(virtqueue) = slots.devices[slot].as_mut().and_then(|device| device.queue(queue)) else { return Ok(None) };
    let mut segments = heapless::Vec::<ChainSegment, MAX_SEGMENTS>::new();
    let mut memory = guest.memory.lock();
    let chain = match virtqueue.peek(&mut *memory, &mut segments) {
        Ok(None) => return Ok(None),
        Ok(Some(chain)) => chain,
        Err(QueueError::Breach(breach)) => return Err(Stop::Breach(slot, queue, breach)),
        // A ring page that is not there: asked for, and looked at again at the next doorbell.
        Err(QueueError::NotPresent(gfn)) => {
            memory.want(guest_domain, gfn);
            return Err(Stop::Full);
        }
        Err(_) => return Err(Stop::Full),
    };
    let pieces = split::count(&chain, &segments).map_err(|breach| Stop::Breach(slot, queue, breach))?;
    let pieces = pieces.max(segments.len());
    let mut kept = Vec::new();
    if pieces > room || kept.try_reserve_exact(segments.len()).is_err() {
        return Err(Stop::Full);
    }
    kept.extend_from_slice(&segments);
    virtqueue.commit(&chain);
    let id = slots.next_id;
    slots.next_id += 1;
    Ok(Some(Request {
        id,
        slot,
        queue,
        head: chain.head,
        readable: chain.readable,
        writable: chain.writable,
        segments: kept,
        pieces,
        posted: false,
        done: None,
        dropped: Vec::new(),
    }))
}

/// Posts one request with its detail, once every page that it needs is there.
fn post(domain: &Domain, guest: &Guest, block_device: bool, request: &mut Request) -> Result<(), Stop> {
    let mut memory = guest.memory.lock();
    let flags = guest.flags.load(Ordering::Relaxed);
    let rules =
        Rules { block_device, r1: flags & DomainFlags::R1.bits() != 0, r3: flags & DomainFlags::R3.bits() != 0 };
    if !memory.gather(domain, request, rules) {
        return Err(Stop::Full);
    }
    let mut header = [0; HEADER_BYTES];
    let header_len = chain_copy::read_present(&mut *memory, &request.segments, &mut header).unwrap_or(0);
    let mut body = heapless::Vec::<Segment, MAX_SEGMENTS>::new();
    for piece in split::pieces(&request.segments) {
        if body.push(memory.segment(&piece, request, rules)).is_err() {
            return Err(Stop::Breach(request.slot, request.queue, Breach::TooManyPieces(request.head)));
        }
    }
    let count = body.len() as u32;
    let detail = RequestDetail { header, segments: count, header_len: header_len as u32, reserved: [0; 7] };
    let mut bytes = heapless::Vec::<u8, { 128 + MAX_SEGMENTS * 32 }>::new();
    let _ = bytes.extend_from_slice(detail.as_bytes());
    let _ = bytes.extend_from_slice(body.as_bytes());
    if block_device {
        memory.watch_writes(domain, &body);
    }
    let event = Event {
        kind: kind::REQUEST,
        domain: domain.id,
        args: [
            request.id,
            request.slot as u64,
            request.queue.into(),
            request.readable.into(),
            request.writable.into(),
            count.into(),
            0,
        ],
    };
    if !service::post(&event, &bytes) {
        return Err(Stop::Full);
    }
    request.posted = true;
    memory.swap.r1_hits += body.iter().filter(|segment| segment.kind == segment::REFERENCE).count() as u64;
    memory.swap.r3_fresh += body.iter().filter(|segment| segment.flags & segment::DROPS != 0).count() as u64;
    Ok(())
}

/// An edge on an input of the guest's IO-APIC.
pub fn interrupt(domain: &Domain, guest: &Guest, gsi: u32) {
    let delivery = guest.io_apic.lock().pulse(gsi as u8);
    delivery.iter().for_each(|one| deliver(domain, None, one));
}

/// The guest ended a level-triggered vector, at a local APIC or at the IO-APIC itself.
#[cold] // the platform's own interrupts are edges
pub fn end_of_interrupt(domain: &Domain, guest: &Guest, vector: u8) {
    let due = guest.io_apic.lock().eoi(vector);
    due.iter().for_each(|one| deliver(domain, None, one));
}

/// After a doorbell: everybody who waited for room.
pub fn pump_all() {
    list::each(|domain| {
        let Some(guest) = domain.guest() else { return };
        if guest.stalled.load(Ordering::Acquire) {
            pump(domain);
            if guest.unfinished.load(Ordering::Acquire) {
                // The other turns are the guest's own time, though all of its vCPUs may be asleep.
                domain.vcpus().first().inspect(|vcpu| vcpu.notify());
            }
        }
    });
}

/// After an attach: everything that is live, again. What finds no room in the ring is posted at a
/// later doorbell.
pub fn repost_all() {
    list::each(|domain| {
        let Some(guest) = domain.guest() else { return };
        {
            let mut slots = guest.devices.lock();
            slots.tell_again();
            for request in slots.live.iter_mut().filter(|request| request.done.is_none()) {
                request.posted = false;
                // A new daemon counts references anew, and these are not among them.
                request.dropped.clear();
            }
        }
        {
            let mut memory = guest.memory.lock();
            memory.take_back();
            memory.forget_asked();
            // The new daemon does not know that the last one could not take a page: it is told again, if so.
            memory.retry();
        }
        wake::all(domain);
        if guest.state.load(Ordering::Acquire) == abi::domain::state::ENDED {
            guest.end_untold.store(true, Ordering::Release);
        }
        pump(domain);
    });
}
