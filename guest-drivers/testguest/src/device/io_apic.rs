//! The IO-APIC (82093AA data sheet).

use abi::platform::IOAPIC_BASE;
use core::ptr;

fn access(offset: u64) -> *mut u32 {
    (IOAPIC_BASE + offset) as *mut u32
}

/// Reads the index register: an access to a device without effects.
pub fn index() -> u32 {
    // SAFETY: as in `read`.
    unsafe { ptr::read_volatile(access(0)) }
}

/// Reads a register.
pub fn read(register: u32) -> u32 {
    // SAFETY: device registers, mapped one to one.
    unsafe {
        ptr::write_volatile(access(0), register);
        ptr::read_volatile(access(0x10))
    }
}

/// Writes a register.
pub fn write(register: u32, value: u32) {
    // SAFETY: as in `read`.
    unsafe {
        ptr::write_volatile(access(0), register);
        ptr::write_volatile(access(0x10), value);
    }
}

/// Added to a vector: its pin is level triggered.
pub const LEVEL: u32 = 1 << 15;
/// Added to a vector, which then means nothing: a non-maskable interrupt.
pub const NMI: u32 = 4 << 8;

/// Routes input `pin` to processor `to`. The low half of the entry is a vector, which alone means fixed and edge.
pub fn route(pin: u32, entry: u32, to: u32) {
    write(0x10 + 2 * pin + 1, to << 24);
    write(0x10 + 2 * pin, entry);
}

/// The low half of the entry of input `pin`.
pub fn routed(pin: u32) -> u32 {
    read(0x10 + 2 * pin)
}

/// Masks input `pin`.
pub fn mask(pin: u32) {
    write(0x10 + 2 * pin, 1 << 16);
}
