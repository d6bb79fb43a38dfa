//! Why a page's state was not read or not changed.

use crate::Forbidden;
use crate::state::BadWord;
use core::fmt;
use paging::Fault;

/// A refusal; nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum P2mError {
    /// The guest frame is beyond what a domain can have.
    OutOfRange,
    /// No frame for a table.
    NoMemory,
    /// The event is not possible in the page's state.
    Forbidden(Forbidden),
    /// The state has no word: a frame number that is too large, or no name of content.
    Unrepresentable,
    /// What is stored is no state.
    Corrupt(BadWord),
}

impl P2mError {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::OutOfRange | Self::Unrepresentable => Fault::Caller,
            Self::NoMemory => Fault::Hardware,
            Self::Forbidden(forbidden) => forbidden.fault(),
            Self::Corrupt(_) => Fault::Ours,
        }
    }
}

impl From<Forbidden> for P2mError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Forbidden(forbidden)
    }
}

impl From<BadWord> for P2mError {
    fn from(word: BadWord) -> Self {
        Self::Corrupt(word)
    }
}

impl fmt::Display for P2mError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange => out.write_str("the guest frame is beyond a domain's largest"),
            Self::NoMemory => out.write_str("no frame for the table of page states"),
            Self::Forbidden(forbidden) => forbidden.fmt(out),
            Self::Unrepresentable => out.write_str("the frame or the block reference is out of range"),
            Self::Corrupt(word) => write!(out, "a page state is overwritten ({:#x})", word.0),
        }
    }
}

impl core::error::Error for P2mError {}
