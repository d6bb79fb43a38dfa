//! Why a frame's record was not changed, and whose fault that is.

use super::FrameKind;
use core::fmt;
use paging::{Fault, Mfn};

/// A refusal; the record is as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameError {
    /// The frame.
    pub mfn: Mfn,
    /// The reason.
    pub why: Why,
}

/// The reason of a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The table has no such frame.
    OutOfTable,
    /// The word is no record.
    Corrupt(u32),
    /// The frame's kind does not allow it.
    Kind(FrameKind),
    /// The frame is not this owner's.
    NotOwner,
    /// It has as many references as can be counted.
    TooManyReferences,
    /// It has no reference.
    NoReference,
    /// It still has this many references.
    Referenced(u16),
}

impl FrameError {
    /// Whose fault it is: who can name machine frames is answerable for the name, a guest only
    /// for how many requests it has in flight on one page.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self.why {
            Why::OutOfTable | Why::NotOwner => Fault::Caller,
            Why::TooManyReferences => Fault::Domain,
            Why::Corrupt(_) | Why::Kind(_) | Why::NoReference | Why::Referenced(_) => Fault::Ours,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "frame {:#x}: ", self.mfn.0)?;
        match self.why {
            Why::OutOfTable => out.write_str("not in the frame table"),
            Why::Corrupt(word) => write!(out, "its record is overwritten ({word:#x})"),
            Why::Kind(kind) => write!(out, "not possible for a frame of kind {kind:?}"),
            Why::NotOwner => out.write_str("belongs to another domain"),
            Why::TooManyReferences => out.write_str("too many references"),
            Why::NoReference => out.write_str("a reference too many was given back"),
            Why::Referenced(count) => write!(out, "still has {count} references"),
        }
    }
}

impl core::error::Error for FrameError {}
