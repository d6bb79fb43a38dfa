//! What dom0's first program and the test harness agree on: the request that the harness places
//! in the initramfs, and the frames in which the answer leaves the machine.
//!
//! Depends on nothing of the hypervisor's, so that the same initramfs runs with and without it.
//! Invariant: everything a command writes leaves the machine as whole frames, in order, and the
//! last frame of a run is its exit status.
#![forbid(unsafe_code)]

/// The serial number (ATA on Bochs: the model) of the disk that the machine booted from.
pub const BOOT_DISK: &str = "boot";

pub mod frame;
pub mod request;
