//! This CPU's timer: the earliest of what the CPU must not miss.

use crate::cpu::{lapic, time};

/// What the timer was last set for.
pub struct Timer(Option<u64>);

impl Timer {
    /// Set for nothing that is known.
    pub const UNKNOWN: Self = Self(None);

    /// Sets it for a TSC value, if it is not set for it already. One that is over (`now` is the TSC) is set again:
    /// what it was to bring about has not happened yet.
    pub fn set(&mut self, deadline: u64, now: u64) {
        if self.0 != Some(deadline) || deadline <= now {
            self.0 = Some(deadline);
            lapic::arm(time::ticks_to_lapic(deadline.saturating_sub(time::tsc())));
        }
    }
}

/// Sets it for a TSC value, or stops it.
pub fn arm(deadline: Option<u64>) {
    match deadline {
        Some(deadline) => Timer(None).set(deadline, 0),
        None => lapic::arm(0),
    }
}
