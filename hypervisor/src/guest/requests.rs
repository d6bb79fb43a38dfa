//! Virtqueue requests: from the guest's queues to dom0 and back.
//!
//! [`pump`] moves what a guest made available into events, as far as the ring has room. What found
//! none waits where it is (in the queue, or unposted in the list) and the guest is marked stalled;
//! dom0's next doorbell pumps again. Nothing is lost when no daemon is attached.

use super::io_pages::Rules;
use super::notices::tell_end;
use super::slot::{MAX_LIVE, Request, Slots};
use super::{Guest, balloon, list, wake};
use crate::domain::{Domain, End, Reason};
use crate::memory::direct;
use crate::service;
use abi::Error;
use abi::command::op;
use abi::domain::DomainFlags;
use abi::event::{Event, HEADER_BYTES, MAX_SEGMENTS, RequestDetail, Segment, kind, segment};
use abi::platform::{VIRTIO_BALLOON, VIRTIO_BLOCK, VIRTIO_GSI, VIRTIO_SLOTS};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use apic::DeliveryMode;
use apic::io::Delivery;
use core::sync::atomic::Ordering;
use virtio::breach::QueueError;
use virtio::chain::ChainSegment;
use virtio::mmio::Device;
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
    // The balloon may have given pages back, and there may be room to ask for others.
    wake::room_came(domain);
}

fn post_waiting(domain: &Domain, slots: &mut Slots) -> Result<(), Stop> {
    let Slots { live, devices, .. } = slots;
    for request in live.iter_mut().filter(|request| !request.posted) {
        let Some(guest) = domain.guest() else { return Ok(()) };
        post(domain, guest, is(devices, request.slot, VIRTIO_BLOCK), request)?;
    }
    Ok(())
}

/// True if the slot holds a device of this kind.
fn is(devices: &[Option<Box<Device>>], slot: usize, id: u32) -> bool {
    devices.get(slot).and_then(Option::as_ref).is_some_and(|device| device.id() == id)
}

/// Takes new chains from the queues that were notified.
fn collect(domain: &Arc<Domain>, guest: &Guest, slots: &mut Slots) -> Result<(), Stop> {
    for slot in 0..VIRTIO_SLOTS as usize {
        while slots.notified[slot] != 0 {
            let queue = slots.notified[slot].trailing_zeros() as u16;
            if is(&slots.devices, slot, VIRTIO_BALLOON) {
                work_balloon(domain, guest, slots, slot, queue)?;
            }
            while let Some(mut request) = next(domain, guest, slots, slot, queue)? {
                let posted = post(domain, guest, is(&slots.devices, slot, VIRTIO_BLOCK), &mut request);
                slots.live.push(request);
                posted?;
            }
            slots.notified[slot] &= !(1 << queue);
        }
    }
    Ok(())
}

/// The balloon's queues are worked off here: dom0 has no part in them.
fn work_balloon(domain: &Arc<Domain>, guest: &Guest, slots: &mut Slots, slot: usize, queue: u16) -> Result<(), Stop> {
    match balloon::work(domain, &mut guest.memory.lock(), slots, slot, queue) {
        Ok(true) => interrupt(domain, guest, VIRTIO_GSI + slot as u32),
        Ok(false) => {}
        Err(QueueError::Breach(breach)) => return Err(Stop::Breach(slot, queue, breach)),
        Err(_) => return Err(Stop::Full),
    }
    Ok(())
}

/// The next chain of a queue as a request; `None` if the queue is empty or not in use.
fn next(
    guest_domain: &Domain,
    guest: &Guest,
    slots: &mut Slots,
    slot: usize,
    queue: u16,
) -> Result<Option<Request>, Stop> {
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
        // A ring page that is not there: asked for, and looked at again at the next doorbell.
        Err(QueueError::NotPresent(gfn)) => {
            memory.want(guest_domain, gfn);
            return Err(Stop::Full);
        }
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
            return Err(Stop::Breach(request.slot, request.queue, virtio::breach::Breach::TooLong(request.head)));
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
            chain_copy::read_or_zero(&mut *memory, &request.segments, at, part)
                .map(|_| direct::write_bytes(buffer + done, part))
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
pub fn complete(domain: &Arc<Domain>, id: u64, written: u64, flags: u64) -> Result<(), Error> {
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
            let pushed = virtqueue.push_used(&mut *guest.memory.lock(), head, written);
            match pushed {
                Ok(wanted) => interrupt = wanted,
                Err(QueueError::NotPresent(gfn)) => {
                    guest.memory.lock().want(domain, gfn);
                    return Err(Error::Again);
                }
                Err(QueueError::Breach(breach)) => {
                    crate::log::warn!("domain {}: virtio slot {slot} queue {queue}: {breach}", domain.id);
                    domain.end(End { reason: Reason::BadVirtqueue, detail: (slot as u64) << 32 | u64::from(queue) });
                }
                Err(QueueError::NotLive(_)) => {}
            }
        }
        if interrupt {
            device.raise_used();
        }
        let request = slots.live.remove(at);
        if flags & abi::command::complete::ASSOCIATE != 0 {
            guest.memory.lock().associate(&request);
        }
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
        for request in &mut guest.devices.lock().live {
            request.posted = false;
            // A new daemon counts references anew, and these are not among them.
            request.dropped.clear();
        }
        {
            let mut memory = guest.memory.lock();
            memory.take_back();
            memory.ask_again(domain);
        }
        wake::all(domain);
        if guest.state.load(Ordering::Acquire) == abi::domain::state::ENDED {
            guest.end_untold.store(true, Ordering::Release);
        }
        pump(domain);
    });
}
