//! virtio-blk (virtio 1.2, section 5.2): what a guest sees of a disk, and what it asks of it.
//!
//! Pure: the I/O is done by [`crate::disks`].

pub mod config;
pub mod request;

pub use request::{Ask, parse};
