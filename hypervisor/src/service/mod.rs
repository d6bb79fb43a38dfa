//! The service channel: the hypervisor's side of [`abi::channel`].
//!
//! [`pci`] is the function that dom0 finds, [`registers`] its memory BAR, [`channel`] the rings in
//! dom0's memory, [`commands`] what dom0 may ask for. Everything read from the rings is copied
//! once, then checked.
mod channel;
mod commands;
mod host;
pub mod pci;
mod registers;

pub use channel::{attached, post, post_output, raise_interrupt};
pub use registers::{read, write};
