//! The journal of disk references.
//!
//! An append is done when the kernel has it: a killed daemon loses nothing. What a loss of power leaves is
//! each disk's state as of its last durable commit. Two areas take turns: when one is full, a
//! snapshot of the present state opens the other under the next generation.

mod load;
mod state;
mod thread;
mod writer;

pub(crate) use load::{load, superblock};
pub(crate) use state::State;
pub(crate) use thread::Journal;
pub(crate) use writer::Writer;
