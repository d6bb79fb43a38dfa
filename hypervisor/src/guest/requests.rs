//! Virtqueue requests: from the guest's queues to dom0 and back.
//!
//! [`pump`] moves what a guest made available into events, as far as the ring has room. What found
//! none waits where it is (in the queue, or unposted in the list) and the guest is marked stalled;
//! dom0's next doorbell pumps again. Nothing is lost when no daemon is attached.

use super::slot::{MAX_LIVE, Request, Slots};
use super::{Guest, GuestMemory, list};
use crate::domain::{Domain, End, Reason};
use crate::memory::direct;
use crate::service;
use abi::command::op;
use abi::event::{Event, HEADER_BYTES, MAX_SEGMENTS, RequestDetail, Segment, kind, segment};
use abi::platform::{EVENT_GSI, VIRTIO_GSI, VIRTIO_SLOTS};
use abi::{BlockRef, Error};
use alloc::sync::Arc;
use alloc::vec::Vec;
use apic::DeliveryMode;
use apic::io::Delivery;
use core::sync::atomic::Ordering;
use virtio::breach::QueueError;
use virtio::chain::ChainSegment;
use virtio::{copy as chain_copy, split};
use zerocopy::IntoBytes;

/// Why a queue was left before it was empty.
enum Stop {
    /// The event ring or the list is full.
    Full,
    /// The guest broke the specification.
    Breach(usize, u16, virtio::breach::Breach),
}

/// Posts what waits: the guest's end, live requests that dom0 does not know of, new chains.
pub fn pump(domain: &Arc<Domain>) {
    let Some(guest) = domain.guest() else { return };
    guest.stalled.store(false, Ordering::Release);
    let result = {
        let mut slots = guest.devices.lock();
        post_waiting(domain, &mut slots).and_then(|()| collect(domain, guest, &mut slots))
    };
    match result {
        Ok(()) => {}
        Err(Stop::Full) => guest.stalled.store(true, Ordering::Release),
        Err(Stop::Breach(slot, queue, breach)) => {
            crate::log::warn!("domain {}: virtio slot {slot} queue {queue}: {breach}", domain.id);
            domain.end(End { reason: Reason::BadVirtqueue, detail: (slot as u64) << 32 | u64::from(queue) });
        }
    }
    tell_end(domain, guest);
}

fn post_waiting(domain: &Domain, slots: &mut Slots) -> Result<(), Stop> {
    for request in slots.live.iter_mut().filter(|request| !request.posted) {
        let Some(guest) = domain.guest() else { return Ok(()) };
        post(domain, &mut guest.memory.lock(), request)?;
    }
    Ok(())
}

/// Takes new chains from the queues that were notified.
fn collect(domain: &Domain, guest: &Guest, slots: &mut Slots) -> Result<(), Stop> {
    for slot in 0..VIRTIO_SLOTS as usize {
        while slots.notified[slot] != 0 {
            let queue = slots.notified[slot].trailing_zeros() as u16;
            while let Some(mut request) = next(guest, slots, slot, queue)? {
                let posted = post(domain, &mut guest.memory.lock(), &mut request);
                slots.live.push(request);
                posted?;
            }
            slots.notified[slot] &= !(1 << queue);
        }
    }
    Ok(())
}

/// The next chain of a queue as a request; `None` if the queue is empty or not in use.
fn next(guest: &Guest, slots: &mut Slots, slot: usize, queue: u16) -> Result<Option<Request>, Stop> {
    if slots.live.len() >= MAX_LIVE || slots.live.try_reserve(1).is_err() {
        return Err(Stop::Full);
    }
    let Some(virtqueue) = slots.devices[slot].as_mut().and_then(|device| device.queue(queue)) else { return Ok(None) };
    let mut segments = heapless::Vec::<ChainSegment, MAX_SEGMENTS>::new();
    let mut memory = guest.memory.lock();
    let chain = match virtqueue.peek(&mut *memory, &mut segments) {
        Ok(None) => return Ok(None),
        Ok(Some(chain)) => chain,
        Err(QueueError::Breach(breach)) => return Err(Stop::Breach(slot, queue, breach)),
        // No frame for a ring page: again at the next doorbell.
        Err(_) => return Err(Stop::Full),
    };
    if !chain.complete {
        return Err(Stop::Breach(slot, queue, virtio::breach::Breach::TooLong(chain.head)));
    }
    let mut kept = Vec::new();
    if kept.try_reserve_exact(segments.len()).is_err() {
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
        posted: false,
    }))
}

/// Posts one request with its detail.
fn post(domain: &Domain, memory: &mut GuestMemory, request: &mut Request) -> Result<(), Stop> {
    let mut header = [0; HEADER_BYTES];
    let header_len = chain_copy::read(memory, &request.segments, 0, &mut header).unwrap_or(0);
    let mut bytes = heapless::Vec::<u8, { 128 + MAX_SEGMENTS * 32 }>::new();
    let mut count = 0;
    let mut body = heapless::Vec::<Segment, MAX_SEGMENTS>::new();
    for piece in split::pieces(&request.segments) {
        if body.push(piece.segment(segment::DATA, piece.gfn(), BlockRef::NONE)).is_err() {
            return Err(Stop::Breach(request.slot, request.queue, virtio::breach::Breach::TooLong(request.head)));
        }
        count += 1;
    }
    let detail = RequestDetail { header, segments: count, header_len: header_len as u32, reserved: [0; 7] };
    let _ = bytes.extend_from_slice(detail.as_bytes());
    let _ = bytes.extend_from_slice(body.as_bytes());
    let event = Event {
        kind: kind::REQUEST,
        domain: domain.id,
        args: [
            request.id, request.slot as u64, request.queue.into(), request.readable.into(), request.writable.into(),
            count.into(), 0,
        ],
    };
    request.posted = service::post(&event, &bytes);
    if request.posted { Ok(()) } else { Err(Stop::Full) }
}

/// `COPY_OUT` and `COPY_IN`: bytes copied.
pub fn copy(domain: &Domain, operation: u32, args: [u64; 5]) -> Result<i64, Error> {
    let [id, offset, buffer, len, _] = args;
    let guest = domain.guest().ok_or(Error::NotFound)?;
    if !crate::dom0::owns(buffer, len) {
        return Err(Error::BadBuffer);
    }
    let slots = guest.devices.lock();
    let request = slots.live.iter().find(|request| request.id == id).ok_or(Error::NotFound)?;
    let size = if operation == op::COPY_OUT { request.readable } else { request.writable };
    if offset.checked_add(len).is_none_or(|end| end > size.into()) {
        return Err(Error::OutsideRequest);
    }
    let mut memory = guest.memory.lock();
    let mut piece = [0; 4096];
    let mut done = 0;
    while done < len {
        let take = (len - done).min(4096) as usize;
        let at = (offset + done) as u32;
        let part = &mut piece[..take];
        let result = if operation == op::COPY_OUT {
            chain_copy::read(&mut *memory, &request.segments, at, part).map(|_| direct::write_bytes(buffer + done, part))
        } else {
            direct::read_bytes(buffer + done, part);
            chain_copy::write(&mut *memory, &request.segments, at, part).map(|_| ())
        };
        result.map_err(|_| Error::NoMemory)?;
        done += take as u64;
    }
    Ok(len.cast_signed())
}

/// `COMPLETE`.
pub fn complete(domain: &Arc<Domain>, id: u64, written: u64) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    let slot = {
        let mut slots = guest.devices.lock();
        let at = slots.live.iter().position(|request| request.id == id).ok_or(Error::NotFound)?;
        let (slot, queue, head, most) = {
            let request = &slots.live[at];
            (request.slot, request.queue, request.head, request.writable)
        };
        let written = u32::try_from(written).ok().filter(|&written| written <= most).ok_or(Error::OutsideRequest)?;
        let Some(device) = slots.devices[slot].as_mut() else { return Err(Error::NotFound) };
        let mut interrupt = false;
        if let Some(virtqueue) = device.queue(queue) {
            match virtqueue.push_used(&mut *guest.memory.lock(), head, written) {
                Ok(wanted) => interrupt = wanted,
                Err(QueueError::NotPresent(_)) => return Err(Error::NoMemory),
                Err(_) => {}
            }
        }
        if interrupt {
            device.raise_used();
        }
        slots.live.remove(at);
        interrupt.then_some(slot)
    };
    if let Some(slot) = slot {
        self::interrupt(domain, guest, VIRTIO_GSI + slot as u32);
    }
    Ok(())
}

/// An edge on an input of the guest's IO-APIC.
pub fn interrupt(domain: &Domain, guest: &Guest, gsi: u32) {
    let delivery = guest.io_apic.lock().pulse(gsi as u8);
    delivery.iter().for_each(|one| deliver(domain, one));
}

/// An interrupt message into the guest's local APICs.
pub fn deliver(domain: &Domain, delivery: &Delivery) {
    for vcpu in domain.vcpus() {
        let id = vcpu.lapic.lock().id();
        if delivery.destination.reaches(None, id) {
            vcpu.interrupt(delivery.vector, delivery.level);
            if delivery.mode == DeliveryMode::LowestPriority {
                return;
            }
        }
    }
}

/// `POWER_BUTTON`.
pub fn press_power_button(domain: &Domain) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    guest.devices.lock().events |= 1;
    interrupt(domain, guest, EVENT_GSI);
    Ok(())
}

/// Sends what the 16550 collected; without room it is lost, as on a line that nobody listens to.
pub fn send_uart(domain: &Domain, guest: &Guest) {
    let bytes = guest.devices.lock().uart.take();
    let mut event = Event { kind: kind::UART, domain: domain.id, args: [0; 7] };
    event.args[0] = bytes.len() as u64;
    for (word, chunk) in event.args[1..].iter_mut().zip(bytes.chunks(8)) {
        let mut padded = [0; 8];
        padded[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(padded);
    }
    service::post(&event, &[]);
}

/// The guest has ended by itself: dom0 is told, now or when there is room.
pub fn domain_ended(domain: &Arc<Domain>) {
    if let Some(guest) = domain.guest() {
        // Told once, by the first vCPU that leaves; not at all while dom0 takes the domain down.
        let ended = abi::domain::state::ENDED;
        let first = guest.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, |state| {
            (state != ended && state != abi::domain::state::DYING).then_some(ended)
        });
        if first.is_err() {
            return;
        }
        send_uart(domain, guest);
        guest.end_untold.store(true, Ordering::Release);
        tell_end(domain, guest);
    }
}

fn tell_end(domain: &Domain, guest: &Guest) {
    if !guest.end_untold.load(Ordering::Acquire) {
        return;
    }
    let (reason, _) = domain.end_reason();
    let event = Event {
        kind: kind::STATE,
        domain: domain.id,
        args: [abi::domain::state::ENDED.into(), reason.into(), 0, 0, 0, 0, 0],
    };
    let told = service::post(&event, &[]);
    guest.end_untold.store(!told, Ordering::Release);
    if !told {
        guest.stalled.store(true, Ordering::Release);
    }
}

/// After a doorbell: everybody who waited for room.
pub fn pump_all() {
    list::each(|domain| {
        if domain.guest().is_some_and(|guest| guest.stalled.load(Ordering::Acquire)) {
            pump(domain);
        }
    });
}

/// After an attach: everything that is live, again.
pub fn repost_all() {
    list::each(|domain| {
        let Some(guest) = domain.guest() else { return };
        guest.devices.lock().live.iter_mut().for_each(|request| request.posted = false);
        if guest.state.load(Ordering::Acquire) == abi::domain::state::ENDED {
            guest.end_untold.store(true, Ordering::Release);
        }
        pump(domain);
    });
}
