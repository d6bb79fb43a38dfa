//! `cubed`: the one daemon in dom0 that holds the service channel.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

pub mod channel;
pub mod daemon;
pub mod devices;
pub mod disks;
pub mod domains;
#[cfg(test)]
pub mod fake;
