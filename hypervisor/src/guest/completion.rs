//! dom0's part in a live request: copies, and its end.
//!
//! A completed request stays in the list until its guest can be told: the page of the used ring may
//! be away. dom0 has no more to do with it then.

use super::Guest;
use super::memory::GuestMemory;
use super::requests::{end_for, interrupt};
use super::slot::{Done, Request, Slots};
use crate::domain::Domain;
use crate::memory::direct;
use abi::Error;
use abi::command::{complete as flag, op};
use abi::platform::{VIRTIO_BLOCK, VIRTIO_GSI};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use virtio::breach::QueueError;
use virtio::copy as chain_copy;
use virtio::split;

/// `COPY_OUT` and `COPY_IN`: bytes copied.
pub fn copy(domain: &Domain, operation: u32, args: [u64; 5]) -> Result<i64, Error> {
    let [id, offset, buffer, len, _] = args;
    let guest = domain.guest().ok_or(Error::NotFound)?;
    if !crate::dom0::owns(buffer, len) {
        return Err(Error::BadBuffer);
    }
    let slots = guest.devices.lock();
    let request = slots.live.iter().find(|request| request.id == id && request.done.is_none());
    let request = request.ok_or(Error::NotFound)?;
    let size = if operation == op::COPY_OUT { request.readable } else { request.writable };
    if offset.checked_add(len).is_none_or(|end| end > size.into()) {
        return Err(Error::OutsideRequest);
    }
    let mut memory = guest.memory.lock();
    if operation == op::COPY_OUT {
        copy_out(&mut memory, request, offset, buffer, len)?;
    } else {
        let names_pages = slots.is(request.slot, VIRTIO_BLOCK);
        copy_in(&mut memory, request, offset, buffer, len, names_pages)?;
    }
    Ok(len.cast_signed())
}

fn copy_out(memory: &mut GuestMemory, request: &Request, offset: u64, buffer: u64, len: u64) -> Result<(), Error> {
    let mut piece = [0; 4096];
    let mut done = 0;
    while done < len {
        let part = &mut piece[..(len - done).min(4096) as usize];
        chain_copy::read_or_zero(memory, &request.segments, (offset + done) as u32, part)
            .map_err(|_| Error::NoMemory)?;
        direct::write_bytes(buffer + done, part);
        done += part.len() as u64;
    }
    Ok(())
}

/// A whole page that a disk fills equals the disk's content afterwards, whatever it was before. Any
/// other write makes a page differ from what another live request may name it after.
fn copy_in(
    memory: &mut GuestMemory,
    request: &Request,
    offset: u64,
    buffer: u64,
    len: u64,
    names_pages: bool,
) -> Result<(), Error> {
    let mut bytes = [0; 4096];
    for piece in split::pieces(&request.segments).filter(|piece| piece.writable) {
        let (first, end) = (u64::from(piece.offset), u64::from(piece.offset) + u64::from(piece.len));
        let (from, to) = (first.max(offset), end.min(offset + len));
        if from >= to {
            continue;
        }
        let part = &mut bytes[..(to - from) as usize];
        direct::read_bytes(buffer + from - offset, part);
        let differs = !(names_pages && piece.is_whole_page());
        memory.write_piece(piece.gpa + from - first, part, differs).map_err(|_| Error::NoMemory)?;
    }
    Ok(())
}

/// `COMPLETE`.
pub fn complete(domain: &Arc<Domain>, id: u64, written: u64, flags: u64) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    let mut slots = guest.devices.lock();
    let at = slots.live.iter().position(|request| request.id == id && request.done.is_none());
    let at = at.ok_or(Error::NotFound)?;
    let most = slots.live[at].writable;
    let written = u32::try_from(written).ok().filter(|&written| written <= most).ok_or(Error::OutsideRequest)?;
    slots.live[at].done = Some(Done { written, associate: flags & flag::ASSOCIATE != 0 });
    if !finish(domain, guest, &mut slots, at) {
        guest.stalled.store(true, Ordering::Release);
    }
    Ok(())
}

/// Tells the guest of all requests that are over; false if some must wait.
pub(super) fn finish_all(domain: &Domain, guest: &Guest, slots: &mut Slots) -> bool {
    let mut at = 0;
    let mut all = true;
    while at < slots.live.len() {
        if slots.live[at].done.is_none() || !finish(domain, guest, slots, at) {
            all &= slots.live[at].done.is_none();
            at += 1;
        }
    }
    all
}

/// Puts a request that is over into its used ring and forgets it; false while that page is away.
fn finish(domain: &Domain, guest: &Guest, slots: &mut Slots, at: usize) -> bool {
    let request = &slots.live[at];
    let (Some(done), slot, queue, head) = (request.done, request.slot, request.queue, request.head) else {
        return true;
    };
    let mut memory = guest.memory.lock();
    let mut wanted = false;
    if let Some(device) = slots.devices[slot].as_mut()
        && let Some(virtqueue) = device.queue(queue)
    {
        match virtqueue.push_used(&mut *memory, head, done.written) {
            Ok(interrupt) => wanted = interrupt,
            Err(QueueError::NotPresent(gfn)) => {
                memory.want(domain, gfn);
                return false;
            }
            Err(QueueError::Breach(breach)) => end_for(domain, slot, queue, breach),
            Err(QueueError::NotLive(_)) => {}
        }
        if wanted {
            device.raise_used();
        }
    }
    let request = slots.live.remove(at);
    if done.associate {
        memory.associate(&request);
    }
    memory.merge_ripe(domain);
    drop(memory);
    if wanted {
        interrupt(domain, guest, VIRTIO_GSI + slot as u32);
    }
    true
}
