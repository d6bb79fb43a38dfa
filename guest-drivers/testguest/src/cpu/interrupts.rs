//! The interrupt table, a count per vector, handlers that cases set, and recovery from expected faults.

use super::{apic, probe, vectors};
use crate::report;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What an interrupt saved, lowest address first.
#[repr(C)]
pub struct Frame {
    /// The vector.
    pub vector: u64,
    registers: [u64; 15],
    /// Error code, or 0.
    pub error: u64,
    /// Interrupted instruction.
    pub rip: u64,
    cs: u64,
    /// Flags of the interrupted code.
    pub rflags: u64,
    rsp: u64,
    ss: u64,
}

static TABLE: [[AtomicU64; 2]; 256] = [const { [const { AtomicU64::new(0) }; 2] }; 256];
static COUNTS: [AtomicU64; 256] = [const { AtomicU64::new(0) }; 256];
static HANDLERS: [AtomicUsize; 256] = [const { AtomicUsize::new(0) }; 256];

/// Spurious interrupts of the APIC come here and get no end-of-interrupt.
pub const SPURIOUS: u8 = 0xff;

/// Fills the table and loads it on this processor.
pub fn install() {
    for (vector, gate) in TABLE.iter().enumerate() {
        let entry = vectors::entry(vector);
        // Interrupt gate, present, code segment 8 (SDM volume 3, section 6.14.1).
        let low = (entry & 0xffff) | 8 << 16 | 0x8e00 << 32 | (entry >> 16 & 0xffff) << 48;
        gate[0].store(low, Ordering::Relaxed);
        gate[1].store(entry >> 32, Ordering::Relaxed);
    }
    load();
}

/// Loads the table on this processor.
pub fn load() {
    #[repr(C, packed)]
    struct Pointer(u16, u64);
    let pointer = Pointer(4095, TABLE.as_ptr() as u64);
    // SAFETY: the table is static, 4 KiB, and was filled by `install`.
    unsafe { asm!("lidt [{}]", in(reg) &raw const pointer, options(nostack)) }
}

/// Sets what runs when `vector` arrives; the end-of-interrupt is written afterwards.
pub fn handle(vector: u8, handler: fn()) {
    HANDLERS[usize::from(vector)].store(handler as usize, Ordering::SeqCst);
}

/// Sets what runs at exception `vector`, with what it saved. No code that a case calls may cause another.
pub fn on_exception(vector: u8, handler: fn(&mut Frame)) {
    HANDLERS[usize::from(vector)].store(handler as usize, Ordering::SeqCst);
}

/// Makes `vector` use stack `number` (1 to 7) of the task-state segment.
pub fn use_stack(vector: u8, number: u64) {
    TABLE[usize::from(vector)][0].fetch_or(number << 32, Ordering::SeqCst);
}

/// How often `vector` arrived, on all processors.
pub fn count(vector: u8) -> u64 {
    COUNTS[usize::from(vector)].load(Ordering::SeqCst)
}

/// Called by the entries.
pub fn dispatch(frame: &mut Frame) {
    let vector = frame.vector as u8;
    COUNTS[usize::from(vector)].fetch_add(1, Ordering::SeqCst);
    let handler = HANDLERS[usize::from(vector)].load(Ordering::SeqCst) as *const ();
    if vector < 32 {
        if probe::recover(frame) {
            return;
        }
        if handler.is_null() {
            report::fault(frame);
        }
        // SAFETY: below 32 only `on_exception` stores here, and only values of this type.
        let handler: fn(&mut Frame) = unsafe { core::mem::transmute(handler) };
        return handler(frame);
    }
    if !handler.is_null() {
        // SAFETY: from 32 on only `handle` stores here, and only values of this type.
        let handler: fn() = unsafe { core::mem::transmute(handler) };
        handler();
    }
    if vector != SPURIOUS {
        apic::end_of_interrupt();
    }
}
