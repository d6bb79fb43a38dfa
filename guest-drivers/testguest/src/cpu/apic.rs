//! The local APIC: x2APIC, which every domain of ours has; where there is none (other machines), xAPIC.

use super::{cpuid, read_msr, write_msr};
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

/// Register numbers (SDM volume 3, table 11-6: MSR 0x800 + number, or MMIO at number * 16).
pub mod reg {
    /// Task priority.
    pub const TPR: u32 = 0x08;
    /// End of interrupt.
    pub const EOI: u32 = 0x0b;
    /// Spurious vector and enable bit.
    pub const SPURIOUS: u32 = 0x0f;
    /// Interrupt request register, 8 words.
    pub const REQUESTED: u32 = 0x20;
    /// Interrupt command.
    pub const ICR: u32 = 0x30;
    /// Timer entry of the local vector table.
    pub const TIMER: u32 = 0x32;
    /// Timer's initial count.
    pub const INITIAL_COUNT: u32 = 0x38;
    /// Timer's current count.
    pub const CURRENT_COUNT: u32 = 0x39;
    /// Timer's divisor.
    pub const DIVIDE: u32 = 0x3e;
}

/// Delivery of [`send`]: INIT, asserted.
pub const INIT: u32 = 0x4500;
/// Delivery of [`send`]: start-up, with the page in the low bits.
pub const STARTUP: u32 = 0x4600;
/// Delivery of [`send`]: fixed, with the vector in the low bits.
pub const FIXED: u32 = 0x4000;

const BASE: u32 = 0x1b;
const MMIO: u64 = 0xfee0_0000;
static X2: AtomicBool = AtomicBool::new(false);

/// Whether the x2APIC is in use.
pub fn is_x2() -> bool {
    X2.load(Ordering::Relaxed)
}

/// Switches the APIC of this processor on, as an x2APIC if there is one.
pub fn enable() {
    if cpuid(1, 0)[2] & 1 << 21 != 0 {
        X2.store(true, Ordering::Relaxed);
        write_msr(BASE, read_msr(BASE) | 1 << 11);
        write_msr(BASE, read_msr(BASE) | 3 << 10);
    }
    write(reg::SPURIOUS, 0x100 | u32::from(super::interrupts::SPURIOUS));
    write(reg::TPR, 0);
}

/// Reads a register.
pub fn read(register: u32) -> u32 {
    if is_x2() {
        return read_msr(0x800 + register) as u32;
    }
    // SAFETY: the xAPIC's registers, mapped one to one, are not memory that Rust knows of.
    unsafe { ptr::read_volatile((MMIO + u64::from(register) * 16) as *const u32) }
}

/// Writes a register.
pub fn write(register: u32, value: u32) {
    if is_x2() {
        return write_msr(0x800 + register, u64::from(value));
    }
    // SAFETY: as in `read`.
    unsafe { ptr::write_volatile((MMIO + u64::from(register) * 16) as *mut u32, value) }
}

/// Ends the interrupt in service.
pub fn end_of_interrupt() {
    write(reg::EOI, 0);
}

/// Sends an interrupt command to the processor with identifier `to`.
pub fn send(to: u32, command: u32) {
    if is_x2() {
        return write_msr(0x800 + reg::ICR, u64::from(to) << 32 | u64::from(command));
    }
    while read(reg::ICR) & 1 << 12 != 0 {}
    write(reg::ICR + 1, to << 24);
    write(reg::ICR, command);
}

/// Whether `vector` is requested but not yet delivered.
pub fn is_requested(vector: u8) -> bool {
    read(reg::REQUESTED + u32::from(vector) / 32) & 1 << (vector % 32) != 0
}
