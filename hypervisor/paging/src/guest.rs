//! Reading the tables of a running guest: linear address to guest-physical address.
//!
//! The guest wrote these tables and may be writing them now, so nothing in them is believed: the
//! walk reads each entry once, takes at most five steps, and hands every address that it found
//! back as an allegation (a [`crate::Gpa`] that the caller's `read` must check). Accessed and dirty bits
//! are not set: the emulator's accesses are not the guest's.
//!
//! Long mode with 4 or 5 levels, and no paging (SDM vol. 3, 4.5; APM vol. 2, 5.3). Not: 32-bit
//! and PAE paging, protection keys, shadow stacks.

mod mode;
mod walk;

pub use mode::{Mode, Registers, Unsupported};
pub use walk::{Intent, PageFault, Translation, WalkError, walk};
