//! Which vCPU runs on which CPU, and the loop that every CPU lives in. The order is
//! [`policy::fair`]'s; here are the queue, the CPUs' timers and the kicks between CPUs.
//!
//! Interrupts are on in exactly one place, [`run`]'s window, where no lock is held. A vCPU that
//! becomes ready is seen at once by the CPU that should run it: that CPU's `reschedule` is set, and
//! it is interrupted if it is another one.
mod kick;
mod nudge;
mod queue;
mod roster;
mod run;
mod shootdown;
mod timer;

pub use nudge::nudge;
pub use queue::{add, remove, set_slice, wake};
pub use run::{interrupt, run};
pub use shootdown::shoot_down;
