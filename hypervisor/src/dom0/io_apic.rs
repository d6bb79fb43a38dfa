//! dom0's IO-APICs: what dom0 writes is vetted and carried over to the real ones, and the service
//! function's interrupt line is added to them.

use crate::boot::IoApicInfo;
use crate::cpu::lapic;
use crate::cpu::lock::{Level, Lock};
use crate::memory::direct;
use apic::io::{Delivery, IoApic, Written};
use apic::vet::{Rules, Vetted};
use apic::{DeliveryMode, RedirectionEntry};
use heapless::Vec;

struct Shadow {
    info: IoApicInfo,
    view: IoApic<24>,
}

static ALL: Lock<Vec<Shadow, 8>> = Lock::new(Level::IoApic, Vec::new());

const SELECT: u64 = 0;
const WINDOW: u64 = 0x10;

/// Takes the real ones over, all pins masked.
pub fn init(infos: &[IoApicInfo]) {
    let mut all = ALL.lock();
    for (number, &info) in (0u8..).zip(infos) {
        for pin in 0..24 {
            write_real(info, pin, RedirectionEntry::RESET);
        }
        let _ = all.push(Shadow { info, view: IoApic::new(number) });
    }
}

/// The pages of their registers.
pub fn claims(address: u64) -> bool {
    ALL.lock().iter().any(|shadow| address & !0xfff == shadow.info.address)
}

/// dom0 reads.
pub fn read(address: u64, width: u32) -> u64 {
    let all = ALL.lock();
    let found = all.iter().find(|shadow| address & !0xfff == shadow.info.address);
    found.map_or(0, |shadow| shadow.view.read(address & 0xfff, width as usize).into())
}

/// dom0 writes.
pub fn write(address: u64, width: u32, value: u64) {
    let mut due = Vec::<Delivery, 24>::new();
    {
        let mut all = ALL.lock();
        let Some(shadow) = all.iter_mut().find(|shadow| address & !0xfff == shadow.info.address) else { return };
        match shadow.view.write(address & 0xfff, width as usize, value as u32) {
            Written::Nothing => {}
            Written::Entry { pin, delivery } => {
                due.extend(delivery);
                carry_over(shadow, pin);
            }
            Written::Eoi(vector) => due = shadow.view.eoi(vector),
        }
    }
    due.iter().for_each(deliver);
}

/// Programs the real pin as dom0 wants it, if it may.
fn carry_over(shadow: &Shadow, pin: u8) {
    let Some(entry) = shadow.view.entry(pin) else { return };
    let rules = Rules { vectors: 0x20..=lapic::FIRST_RESERVED - 1, modes: &[] };
    let real = match Vetted::new(entry, &rules) {
        Ok(vetted) => {
            let target = super::space::first_destination(entry.destination());
            vetted.physical(target)
        }
        Err(refusal) => {
            // The old PIC behind pin 0 (ExtINT) is what Linux tries and does not need.
            if entry.mode() != Some(DeliveryMode::ExtInt) {
                crate::log::warn_limited!("dom0's IO-APIC pin {pin}: {refusal}; the pin stays masked");
            }
            RedirectionEntry::RESET
        }
    };
    write_real(shadow.info, pin, real);
}

fn write_real(info: IoApicInfo, pin: u8, entry: RedirectionEntry) {
    let put = |register: u32, value: u32| {
        direct::write32(info.address + SELECT, register);
        direct::write32(info.address + WINDOW, value);
    };
    let index = 0x10 + 2 * u32::from(pin);
    put(index, 1 << 16);
    put(index + 1, (entry.bits() >> 32) as u32);
    put(index, entry.bits() as u32);
}

/// Sets the level of a line that the hypervisor itself drives.
pub fn set_line(gsi: u32, level: bool) {
    let delivery = {
        let mut all = ALL.lock();
        let found = all.iter_mut().find(|shadow| (shadow.info.gsi_base..shadow.info.gsi_base + 24).contains(&gsi));
        let Some(shadow) = found else { return };
        let pin = (gsi - shadow.info.gsi_base) as u8;
        if level {
            shadow.view.assert(pin)
        } else {
            shadow.view.deassert(pin);
            None
        }
    };
    delivery.iter().for_each(deliver);
}

/// dom0 ended a level-triggered vector.
pub fn end_of_interrupt(vector: u8) {
    let mut due = Vec::<Delivery, 24>::new();
    for shadow in ALL.lock().iter_mut() {
        due.extend(shadow.view.eoi(vector));
    }
    due.iter().for_each(deliver);
}

/// Into dom0's local APICs.
fn deliver(delivery: &Delivery) {
    if let Some(domain) = super::space::domain() {
        crate::domain::deliver(domain, None, delivery);
    }
}
