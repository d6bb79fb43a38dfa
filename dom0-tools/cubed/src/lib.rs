//! `cubed`: the one daemon in dom0 that holds the service channel.
//!
//! [`channel`] reaches the hypervisor, [`devices`] knows what virtio devices mean, [`disks`]
//! carries out what Tesseract's map decides, [`domains`] remembers where domains came from,
//! [`daemon`] puts these together without sockets or clocks, and [`server`] is the loop around it.
//! Each may depend on those before it. `unsafe` is in [`channel`] and in the store's adapter only.
//!
//! The invariant of the whole: this process may be killed at any instruction. The hypervisor
//! posts what is live again, and what it does not know is in the state directory, the store and
//! the journal.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::cast_possible_truncation))]

pub mod background;
pub mod channel;
pub mod daemon;
pub mod devices;
pub mod disks;
pub mod domains;
pub mod logging;
pub mod options;
pub mod server;

#[cfg(test)]
pub mod fake;
#[cfg(test)]
mod scenarios;
