//! Cached translations: identifiers of vCPUs (VPIDs), and dropping what a CPU remembers
//! (SDM vol. 3, 29.4).
//!
//! Invariant: two vCPUs that exist at the same time never share a VPID, and none has 0, the host's.

use super::instruction::{invept, invvpid};
use core::sync::atomic::{AtomicU64, Ordering};

/// Of one context: the second argument of both instructions in the manual.
const SINGLE: u64 = 1;

/// Identifiers in use, a bit each.
static USED: [AtomicU64; 64] = [const { AtomicU64::new(0) }; 64];

/// A VPID; given back on drop.
pub struct Vpid(u16);

impl Vpid {
    /// An unused one; `None` if all 4095 are in use.
    pub fn allocate() -> Option<Self> {
        USED[0].fetch_or(1, Ordering::Relaxed);
        for (index, word) in (0u16..).zip(&USED) {
            let claim = |bits: u64| (bits != u64::MAX).then(|| bits | (bits + 1));
            if let Ok(bits) = word.fetch_update(Ordering::Relaxed, Ordering::Relaxed, claim) {
                return Some(Self(index * 64 + bits.trailing_ones() as u16));
            }
        }
        None
    }

    /// The value for the VMCS.
    pub fn value(&self) -> u64 {
        self.0.into()
    }
}

impl Drop for Vpid {
    fn drop(&mut self) {
        USED[usize::from(self.0 / 64)].fetch_and(!(1 << (self.0 % 64)), Ordering::Relaxed);
    }
}

/// Drops what this CPU remembers of a vCPU and of its nested table.
pub fn flush(ept_pointer: u64, vpid: &Vpid) {
    if invept(SINGLE, [ept_pointer, 0]).is_err() || invvpid(SINGLE, [vpid.value(), 0]).is_err() {
        // Both exist by the probe; a refusal would be a wrong operand, and stale translations a leak.
        panic!("INVEPT of {ept_pointer:#x} or INVVPID of {} refused", vpid.value());
    }
}
