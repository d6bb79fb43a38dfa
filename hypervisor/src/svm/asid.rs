//! Address-space identifiers: a fresh one is the flush of a guest's translations.

use crate::cpu::{self, MAX_CPUS};
use core::sync::atomic::{AtomicU32, Ordering};

/// Identifiers of this processor, with 0 (the host's).
static COUNT: AtomicU32 = AtomicU32::new(2);
/// Next unused one on each CPU.
static NEXT: [AtomicU32; MAX_CPUS as usize] = [const { AtomicU32::new(u32::MAX) }; MAX_CPUS as usize];

/// Told from CPUID 0x8000000a.
pub fn set_count(count: u32) {
    COUNT.store(count.max(2), Ordering::Relaxed);
}

/// An identifier that no translation on this CPU has, and whether they were used up: then the very entry that it is
/// for must flush the whole TLB, or those of the last round come alive again.
pub fn fresh() -> (u32, bool) {
    let next = &NEXT[cpu::index() as usize];
    let value = next.load(Ordering::Relaxed);
    let (value, wrapped) = if value >= COUNT.load(Ordering::Relaxed) { (1, true) } else { (value, false) };
    next.store(value + 1, Ordering::Relaxed);
    (value, wrapped)
}
