//! The real local APIC: in xAPIC mode through its page, in x2APIC mode (if firmware left it so) by MSR.
//!
//! The hypervisor's vectors are above all that dom0 may use for devices, so that an unfinished
//! level-triggered device interrupt never holds back our timer (SDM vol. 3, 11.8.3).
//!
//! A device's message can carry any vector from 0x10 on. The task priority keeps out those below 0x20, which
//! would look like exceptions; one of our own vectors is at most an idle look at the queue.

use super::register::{self, msr};
use crate::memory::direct;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Our timer.
pub const TIMER: u8 = 0xf8;
/// "Look at your queue", and the nudge of a TLB shoot-down.
pub const KICK: u8 = 0xf9;
/// Raised by the controller itself, and then not in service.
pub const SPURIOUS: u8 = 0xff;
/// First vector that dom0 may not use for devices.
pub const FIRST_RESERVED: u8 = 0xf0;

static X2APIC: AtomicBool = AtomicBool::new(false);
static BASE: AtomicU64 = AtomicU64::new(0xfee0_0000);

const ID: u32 = 0x02;
const TPR: u32 = 0x08;
const EOI: u32 = 0x0b;
const SVR: u32 = 0x0f;
const ISR: u32 = 0x10;
const TMR: u32 = 0x18;
const ICR: u32 = 0x30;
const ICR_HIGH: u32 = 0x31;
const LVT_TIMER: u32 = 0x32;
const LVT_LINT0: u32 = 0x35;
const LVT_LINT1: u32 = 0x36;
const INITIAL_COUNT: u32 = 0x38;
const CURRENT_COUNT: u32 = 0x39;
const DIVIDE: u32 = 0x3e;

fn read(index: u32) -> u32 {
    if X2APIC.load(Ordering::Relaxed) {
        register::read_msr(0x800 + index) as u32
    } else {
        direct::read32(BASE.load(Ordering::Relaxed) + u64::from(index) * 16)
    }
}

fn write(index: u32, value: u32) {
    if X2APIC.load(Ordering::Relaxed) {
        // SAFETY: an x2APIC register, written with a value that is valid for it.
        unsafe { register::write_msr(0x800 + index, value.into()) };
    } else {
        direct::write32(BASE.load(Ordering::Relaxed) + u64::from(index) * 16, value);
    }
}

/// Enables this CPU's local APIC, its lines masked, and returns its identifier.
pub fn enable() -> u32 {
    let base = register::read_msr(msr::APIC_BASE);
    X2APIC.store(base >> 10 & 1 == 1, Ordering::Relaxed);
    BASE.store(base & 0xf_ffff_ffff_f000, Ordering::Relaxed);
    if base >> 11 & 1 == 0 {
        // SAFETY: sets the global enable bit and nothing else.
        unsafe { register::write_msr(msr::APIC_BASE, base | 1 << 11) };
    }
    // Not every machine lets LINT0 cut off the old interrupt controllers: mask them too.
    super::port::write8(0x21, 0xff);
    super::port::write8(0xa1, 0xff);
    // LINT0 as ExtINT on the boot CPU would let the old PIC in: dom0 has no use for it.
    write(LVT_LINT0, 1 << 16);
    write(LVT_LINT1, 1 << 16);
    write(LVT_TIMER, 1 << 16 | u32::from(TIMER));
    write(DIVIDE, 0b1011);
    write(TPR, 0x10);
    write(SVR, 0x100 | u32::from(SPURIOUS));
    id()
}

/// This CPU's local APIC identifier.
pub fn id() -> u32 {
    if X2APIC.load(Ordering::Relaxed) { read(ID) } else { read(ID) >> 24 }
}

/// Acknowledges the interrupt in service.
pub fn eoi() {
    write(EOI, 0);
}

/// True if the vector in service came level-triggered.
pub fn is_level(vector: u8) -> bool {
    read(TMR + u32::from(vector) / 32) >> (vector % 32) & 1 == 1
}

/// [`SPURIOUS`] arrived: a device's message with that vector is in service, and would hold back all others.
pub fn spurious() {
    if in_service(SPURIOUS) {
        eoi();
    }
}

/// True if the vector is in service.
fn in_service(vector: u8) -> bool {
    read(ISR + u32::from(vector) / 32) >> (vector % 32) & 1 == 1
}

/// Starts a silent count down (calibration); 0 stops.
pub fn start_count(count: u32) {
    write(LVT_TIMER, 1 << 16 | u32::from(TIMER));
    write(INITIAL_COUNT, count);
}

/// What is left of the count.
pub fn count() -> u32 {
    read(CURRENT_COUNT)
}

/// Asks for one timer interrupt after `count` ticks; 0 for none.
pub fn arm(count: u32) {
    write(LVT_TIMER, u32::from(TIMER));
    write(INITIAL_COUNT, count);
}

/// Sends an interrupt command to one CPU.
fn command(apic_id: u32, low: u32) {
    if X2APIC.load(Ordering::Relaxed) {
        // SAFETY: a fixed, INIT or start-up command to one destination.
        unsafe { register::write_msr(0x800 + ICR, u64::from(apic_id) << 32 | u64::from(low)) };
        return;
    }
    for _ in 0..1_000_000 {
        if read(ICR) >> 12 & 1 == 0 {
            break;
        }
        core::hint::spin_loop();
    }
    write(ICR_HIGH, apic_id << 24);
    write(ICR, low);
}

/// Sends a vector to one CPU.
pub fn send(apic_id: u32, vector: u8) {
    command(apic_id, 1 << 14 | u32::from(vector));
}

/// Sends a non-maskable interrupt to one CPU.
pub fn send_nmi(apic_id: u32) {
    command(apic_id, 0x4400);
}

/// Sends INIT to one CPU.
pub fn send_init(apic_id: u32) {
    command(apic_id, 0x4500);
}

/// Sends a start-up interrupt: the CPU starts at `page` * 4096.
pub fn send_startup(apic_id: u32, page: u8) {
    command(apic_id, 0x4600 | u32::from(page));
}
