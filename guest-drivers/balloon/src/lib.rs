//! A driver for the virtio memory balloon (virtio 1.2, section 5.5), for guests without an
//! operating system's own: the small test guests.
//!
//! Built on `virtio-drivers`, which has queues and transports but no balloon: generic over its `Hal`
//! and `Transport`. One processor uses it at a time; it polls and needs no interrupts.
//! Invariant: the device holds no memory of ours after the driver is dropped.
#![no_std]

mod driver;
mod features;
mod frames;
mod statistics;

pub use driver::Balloon;
pub use features::Features;
pub use frames::BATCH;
pub use statistics::{MAX_STATISTICS, Statistic, tag};
