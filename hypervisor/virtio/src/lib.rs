//! The device side of virtio 1.2: the MMIO transport, split virtqueues, and the memory balloon.
//!
//! State machines without hardware, over a [`GuestMemory`] that the caller provides; they may
//! depend on `abi` for shared layouts. The hypervisor calls them with the domain's lock held.
//! Invariant: whatever a driver writes to registers, rings and descriptors, nothing panics, every
//! walk is bounded by the queue's or the indirect table's size, and a value from guest memory is read
//! once and checked before it is used.
//!
//! Section numbers are those of "Virtual I/O Device (VIRTIO) Version 1.2".
#![no_std]
#![forbid(unsafe_code)]

pub mod balloon;
pub mod balloon_stats;
pub mod breach;
pub mod chain;
pub mod config;
pub mod copy;
pub mod descriptor;
pub mod features;
pub mod memory;
pub mod mmio;
pub mod queue;
pub mod queue_registers;
pub mod registers;
pub mod ring;
pub mod split;
pub mod status;

pub use breach::{Breach, QueueError};
pub use chain::{Chain, ChainSegment};
pub use memory::{Fault, GuestMemory};
pub use mmio::{Device, Effect, Unfit};
pub use queue::Queue;
