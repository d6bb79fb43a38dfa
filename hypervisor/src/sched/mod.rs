//! Which vCPU runs on which CPU, and the loop that every CPU lives in.
//!
//! Interrupts are on in exactly one place, [`run`]'s window, where no lock is held.
mod queue;
mod run;
mod shootdown;

pub use queue::{add, remove, set_slice, wake};
pub use run::{interrupt, run};
pub use shootdown::shoot_down;
