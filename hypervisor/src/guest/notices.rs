//! What dom0 is told besides requests (the guest's end, its early output), and the two small things that
//! it sends in: input for the 16550 and the power button.

use super::requests::interrupt;
use super::slot::Slots;
use super::uart::Uart;
use super::{Guest, list};
use crate::domain::Domain;
use crate::service;
use abi::Error;
use abi::event::{Event, kind};
use abi::platform::EVENT_GSI;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// `POWER_BUTTON`.
pub fn press_power_button(domain: &Domain) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    guest.devices.lock().events |= 1;
    interrupt(domain, guest, EVENT_GSI);
    Ok(())
}

/// Sends what the 16550 has to send. Without room it stays until dom0 has made some, which is the guest's to wait for;
/// without a daemon it is lost, as on a line that nobody listens to. False if it stays.
pub fn send_uart(domain: &Domain, guest: &Guest, uart: &mut Uart) -> bool {
    !uart.due() || send(domain, guest, uart, service::post_output)
}

/// The last words of a guest that has ended: there is one such event, which others' output cannot keep out.
fn send_last(domain: &Domain, guest: &Guest, uart: &mut Uart) -> bool {
    send(domain, guest, uart, |event, _| service::post(event, &[]))
}

/// `post` is given the event and the place of the last one.
fn send(domain: &Domain, guest: &Guest, uart: &mut Uart, post: fn(&Event, &mut u32) -> bool) -> bool {
    let bytes = uart.collected();
    if bytes.is_empty() {
        return true;
    }
    let mut event = Event { kind: kind::UART, domain: domain.id, args: [0; 7] };
    event.args[0] = bytes.len() as u64;
    for (word, chunk) in event.args[1..].iter_mut().zip(bytes.chunks(8)) {
        let mut padded = [0; 8];
        padded[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_le_bytes(padded);
    }
    let stays = !post(&event, &mut uart.place) && service::attached() && {
        // Once more: room that dom0 has made meanwhile is then not overlooked.
        guest.stalled.store(true, Ordering::Release);
        !post(&event, &mut uart.place)
    };
    if !stays && uart.sent() {
        interrupt(domain, guest, abi::platform::UART_GSI);
    }
    !stays
}

/// The daemon is gone: guests that waited for it to take what they print go on.
pub fn hang_up_all() {
    list::each(|domain| {
        let Some(guest) = domain.guest() else { return };
        send_uart(domain, guest, &mut guest.devices.lock().uart);
    });
}

/// Tells dom0 of devices that were reset or made ready; the slots for which there was no room, a
/// bit a slot. Their requests must wait: those of a driver before the reset and after it would be mixed up.
pub fn tell_status(domain: &Domain, slots: &mut Slots) -> u32 {
    let Slots { devices, untold, .. } = slots;
    for (slot, device) in devices.iter().enumerate() {
        let (bit, status) = (1 << slot, device.as_ref().map_or(0, |device| device.status()));
        let tell = |status: u8| {
            let args = [slot as u64, status.into(), 0, 0, 0, 0, 0];
            service::post(&Event { kind: kind::DEVICE_STATUS, domain: domain.id, args }, &[])
        };
        if untold.reset & bit != 0 && tell(0) {
            untold.reset &= !bit;
        }
        if untold.ready & bit != 0 && untold.reset & bit == 0 && tell(status) {
            untold.ready &= !bit;
        }
    }
    untold.reset | untold.ready
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
        guest.end_untold.store(true, Ordering::Release);
        tell_end(domain, guest);
    }
}

/// Tells dom0 of the guest's end if that is still due, after its last words.
pub fn tell_end(domain: &Domain, guest: &Guest) {
    if !guest.end_untold.load(Ordering::Acquire) || !send_last(domain, guest, &mut guest.devices.lock().uart) {
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

/// `UART_INPUT`: bytes taken.
pub fn uart_input(domain: &Domain, guest: &Guest, args: [u64; 5]) -> u64 {
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_mut(8).zip(&args[1..]) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    let len = args[0].min(32) as usize;
    let (taken, due) = {
        let mut slots = guest.devices.lock();
        (slots.uart.input(&bytes[..len]), slots.uart.input_due())
    };
    if due {
        interrupt(domain, guest, abi::platform::UART_GSI);
    }
    taken as u64
}
