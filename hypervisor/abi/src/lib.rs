//! What crosses a boundary: hypervisor to dom0 (the service channel) and hypervisor to guest
//! (the virtual platform). Shared by `hypervisor/`, `dom0-tools/` and `guest-drivers/`.
//!
//! Every value that arrives through these layouts is an allegation until its receiver checked it.
//! All integers are little endian; all structures are `repr(C)` without padding, so that a byte
//! copy is a faithful copy. A change of any layout or meaning raises [`VERSION`].
#![no_std]
#![forbid(unsafe_code)]

pub mod block_ref;
pub mod channel;
pub mod command;
pub mod domain;
pub mod error;
pub mod event;
pub mod host;
pub mod platform;

pub use block_ref::BlockRef;
pub use error::Error;

/// Version of everything in this crate. The two sides must agree exactly; it is checked at attach.
pub const VERSION: u32 = 1;

/// Size of a page and of a frame, in bytes.
pub const PAGE_SIZE: u64 = 4096;
