//! The PCI function of the service channel, on bus 0, seen through configuration mechanism 1
//! (PCI Local Bus 3.0, 3.2.2.3.2 and chapter 6). Only dom0 can reach it.

use crate::cpu::lock::{Level, Lock};
use crate::cpu::port;
use abi::channel::{BAR_SIZE, PCI_CLASS, PCI_DEVICE, PCI_VENDOR};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const MEMORY: u16 = 1 << 1;
const MASTER: u16 = 1 << 2;
const NO_INTX: u16 = 1 << 10;

struct Function {
    command: u16,
    bar: u32,
    line: u8,
}

/// Device number on bus 0; 32 if none was free.
static SLOT: AtomicU32 = AtomicU32::new(32);
/// The last address that dom0 selected.
static SELECTED: AtomicU32 = AtomicU32::new(0);
static FUNCTION: Lock<Function> = Lock::new(Level::Pci, Function { command: 0, bar: 0, line: 0 });
/// The page of BAR 0 while it is decoded, else 1.
static PAGE: AtomicU32 = AtomicU32::new(1);
/// The interrupt is wanted, whether or not INTx is disabled.
static ASSERTED: AtomicBool = AtomicBool::new(false);
static GSI: AtomicU32 = AtomicU32::new(u32::MAX);

/// Chooses a device number that no real device has.
pub fn find_slot() {
    let free = (0x10..0x1e).find(|&slot| {
        port::write32(ADDRESS, 1 << 31 | slot << 11);
        port::read32(DATA) as u16 == 0xffff
    });
    match free {
        Some(slot) => {
            SLOT.store(slot, Ordering::Relaxed);
            crate::log::info!("service channel: PCI 00:{slot:02x}.0");
        }
        None => crate::log::error!("no free PCI device number: dom0 cannot control domains"),
    }
}

/// The register that is selected, if it is one of ours.
fn selected() -> Option<u32> {
    let address = SELECTED.load(Ordering::Relaxed);
    let ours = address >> 31 == 1 && (address >> 8 & 0xffff) == SLOT.load(Ordering::Relaxed) << 3;
    ours.then_some(address & 0xfc)
}

/// dom0 writes a configuration port; true if it was for us alone.
pub fn port_write(at: u16, width: u8, value: u32) -> bool {
    match (at, width) {
        (ADDRESS, 4) => {
            SELECTED.store(value, Ordering::Relaxed);
            selected().is_some()
        }
        (DATA..=0xcff, _) => match selected() {
            Some(register) => {
                write(register + u32::from(at - DATA), width, value);
                true
            }
            None => false,
        },
        _ => false,
    }
}

/// dom0 reads a configuration port; `None` if it is the real machine's business.
pub fn port_read(at: u16, width: u8) -> Option<u32> {
    match at {
        DATA..=0xcff => {
            let register = selected()?;
            let shift = u32::from(at - DATA) * 8;
            let mask = u32::MAX >> (32 - 8 * u32::from(width.min(4)));
            Some(dword(register) >> shift & mask)
        }
        ADDRESS if width == 4 => selected().map(|_| SELECTED.load(Ordering::Relaxed)),
        _ => None,
    }
}

/// One aligned word of the configuration space.
fn dword(register: u32) -> u32 {
    let function = FUNCTION.lock();
    match register {
        0x00 => u32::from(PCI_DEVICE) << 16 | u32::from(PCI_VENDOR),
        0x04 => u32::from(ASSERTED.load(Ordering::Relaxed)) << 19 | u32::from(function.command),
        0x08 => PCI_CLASS << 8 | 1,
        0x10 => function.bar,
        0x2c => u32::from(PCI_DEVICE) << 16 | u32::from(PCI_VENDOR),
        0x3c => 1 << 8 | u32::from(function.line),
        _ => 0,
    }
}

fn write(register: u32, width: u8, value: u32) {
    let (was, now) = {
        let mut function = FUNCTION.lock();
        let was = function.command;
        match (register, width) {
            (4, 2 | 4) => function.command = value as u16 & (MEMORY | MASTER | NO_INTX),
            (0x10, 4) => function.bar = value & !(BAR_SIZE - 1),
            (0x3c, _) => function.line = value as u8,
            _ => {}
        }
        let decoded = function.command & MEMORY != 0 && function.bar != 0 && function.bar != !(BAR_SIZE - 1);
        PAGE.store(if decoded { function.bar } else { 1 }, Ordering::Release);
        (was, function.command)
    };
    let page = PAGE.load(Ordering::Acquire);
    if page != 1 {
        crate::dom0::trap(page.into());
    }
    // The kernel clears bus mastering when the last user of the device has closed it.
    if was & MASTER != 0 && now & MASTER == 0 {
        super::registers::detach();
    }
    update_line();
}

/// True if the address is in BAR 0.
pub fn claims(address: u64) -> bool {
    address & !0xfff == u64::from(PAGE.load(Ordering::Acquire))
}

/// True if bus mastering is on.
pub fn is_master() -> bool {
    FUNCTION.lock().command & MASTER != 0
}

/// Where dom0 expects the interrupt.
pub fn set_gsi(gsi: u32) {
    GSI.store(gsi, Ordering::Relaxed);
}

/// True while the interrupt is asserted.
pub fn asserted() -> bool {
    ASSERTED.load(Ordering::Relaxed)
}

/// Asserts or deasserts the interrupt.
pub fn set_interrupt(asserted: bool) {
    ASSERTED.store(asserted, Ordering::Relaxed);
    update_line();
}

fn update_line() {
    let gsi = GSI.load(Ordering::Relaxed);
    if gsi == u32::MAX {
        return;
    }
    // Held until the line is set: of two who change it the last one must have seen what both did.
    let function = FUNCTION.lock();
    crate::dom0::io_apic::set_line(gsi, function.command & NO_INTX == 0 && asserted());
}
