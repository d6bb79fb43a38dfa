//! Making other CPUs look at the run queue, after its lock is released.

use crate::cpu::{self, lapic};
use core::sync::atomic::Ordering;

/// CPUs to be told.
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct Kicks(u32);

const _: () = assert!(cpu::MAX_CPUS <= u32::BITS);

impl Kicks {
    /// None.
    pub const NONE: Self = Self(0);

    /// These, and `cpu` if there is one.
    pub fn with(self, cpu: Option<u32>) -> Self {
        Self(cpu.map_or(self.0, |cpu| self.0 | 1 << cpu))
    }

    /// Tells them. Not with a lock held whose holder could wait for an interrupt of theirs.
    pub fn send(self) {
        let mut left = self.0;
        while left != 0 {
            kick(left.trailing_zeros());
            left &= left - 1;
        }
    }
}

fn kick(target: u32) {
    if let Some(other) = cpu::of(target) {
        other.reschedule.store(true, Ordering::Release);
        if target != cpu::index() {
            lapic::send(other.apic_id.load(Ordering::Relaxed), lapic::KICK);
        }
    }
}
