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

/// Routes input `pin` to `vector` on processor `to`: fixed, edge, active high.
pub fn route(pin: u32, vector: u8, to: u32) {
    write(0x10 + 2 * pin + 1, to << 24);
    write(0x10 + 2 * pin, u32::from(vector));
}

/// Masks input `pin`.
pub fn mask(pin: u32) {
    write(0x10 + 2 * pin, 1 << 16);
}
