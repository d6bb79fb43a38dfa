//! How often one message may be written that a domain can cause at will.

use crate::cpu::time;
use core::sync::atomic::{AtomicU64, Ordering};

/// Messages in a period.
const MOST: u64 = 5;
/// Nanoseconds of a period.
const PERIOD: u64 = 5_000_000_000;

/// The count of one message. Two CPUs at once may let one too many or too few through.
pub struct Limit {
    period: AtomicU64,
    count: AtomicU64,
}

impl Limit {
    /// None so far.
    pub const fn new() -> Self {
        Self { period: AtomicU64::new(0), count: AtomicU64::new(0) }
    }

    /// `None` if the message is to be left out; else how many were, since the last that was not.
    pub fn allow(&self) -> Option<u64> {
        let now = time::since_start_ns() / PERIOD;
        let left_out = if self.period.swap(now, Ordering::Relaxed) == now {
            0
        } else {
            self.count.swap(0, Ordering::Relaxed).saturating_sub(MOST)
        };
        (self.count.fetch_add(1, Ordering::Relaxed) < MOST).then_some(left_out)
    }
}
