//! Page tables: one engine for the tables of every domain and of the hypervisor itself.
//!
//! A [`Tree`] holds a root frame and walks, changes and frees the tables below it through a
//! [`Memory`], so that it runs unchanged on the host against a memory that records every access.
//! What an entry looks like is a [`Format`]: [`Ept`], [`Npt`], [`LongMode`]. [`guest`] reads the
//! tables of a running guest, which nobody here trusts.
//!
//! May depend on: `core` alone.
//!
//! Invariants:
//! 1. An entry is either zero, a table of ours, or a leaf; a reader that races with a change sees
//!    the tree before or after it.
//! 2. Bits that the processor sets (accessed, dirty) are never lost: an entry that hardware may
//!    write is changed by compare-and-exchange only, and no more than [`ATTEMPTS`] times.
//! 3. A change that an old translation could outlive returns a [`FlushDebt`]; table frames that
//!    became free are inside it and come out only against proof of a flush.
//! 4. An operation that fails has changed nothing and holds no frame.
//!
//! One writer at a time: what changes the shape or the rights takes `&mut Tree`; the owner's lock
//! is what makes that true. Looking up and sampling take `&Tree`.
#![no_std]
#![forbid(unsafe_code)]

pub mod access;
pub mod address;
pub mod debt;
pub mod error;
pub mod fault;
pub mod format;
pub mod geometry;
pub mod guest;
pub mod leaf;
pub mod memory;
pub mod range;

mod entry;
mod lookup;
mod map;
mod merge;
mod protect;
mod replace;
mod sample;
mod split;
mod teardown;
mod tree;
mod unmap;

pub use access::{Access, MemoryType};
pub use address::{FRAME_SHIFT, FRAME_SIZE, Gfn, Gpa, Hpa, Mfn};
pub use debt::{Due, FlushDebt, Flushed, FrameList};
pub use entry::ATTEMPTS;
pub use error::{ChangeError, MapError, MergeError, SplitError};
pub use fault::Fault;
pub use format::{Ept, Format, LongMode, Npt};
pub use geometry::Size;
pub use leaf::Leaf;
pub use memory::Memory;
pub use protect::Protected;
pub use range::{Cursor, Progress, Swept};
pub use replace::Replaced;
pub use teardown::TableCursor;
pub use tree::{LargeExecute, Tree};
pub use unmap::Removed;
