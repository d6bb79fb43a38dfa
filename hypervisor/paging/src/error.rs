//! Why an operation was refused. After any of these the tree is as it was.

use crate::{Fault, Leaf};
use core::fmt;

/// Why nothing was mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// A guest frame beyond what the tree can name.
    OutOfRange,
    /// A machine frame above 52 bits.
    BadFrame,
    /// The guest or the machine frame is not aligned to the size.
    Unaligned,
    /// Rights without `read`.
    BadAccess,
    /// An executable large leaf in a tree that refuses them.
    ExecutableLarge,
    /// A leaf is there already.
    Occupied(Leaf),
    /// Smaller leaves are there already, or an empty table where `map` was asked (use `replace`).
    TableInTheWay,
    /// No frame for a table.
    NoMemory,
    /// Somebody else writes to the tree.
    Contended,
}

/// Why a leaf was not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeError {
    /// Nothing is mapped there.
    Absent,
    /// This leaf is there, which is not of the size asked for: split or merge first.
    OtherSize(Leaf),
    /// Smaller leaves (or an empty table) are there.
    TableInTheWay,
    /// Rights without `read`.
    BadAccess,
    /// An executable large leaf in a tree that refuses them.
    ExecutableLarge,
    /// Somebody else writes to the tree.
    Contended,
}

/// Why a leaf was not split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitError {
    /// Nothing is mapped there.
    Absent,
    /// It is a 4 KiB leaf.
    Small,
    /// No frame for the table.
    NoMemory,
    /// Somebody else writes to the tree.
    Contended,
}

/// Why leaves were not merged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MergeError {
    /// Nothing is mapped there, or 4 KiB was asked for.
    Absent,
    /// It is one leaf already.
    Merged(Leaf),
    /// The entry with this index (below 512) is absent, a table, or does not continue the first.
    NotUniform(usize),
    /// The frames are contiguous, but do not start at a multiple of the size.
    Unaligned,
    /// An executable large leaf in a tree that refuses them.
    ExecutableLarge,
    /// Somebody else writes to the tree.
    Contended,
}

macro_rules! faults {
    ($error:ident { $($pattern:pat => ($fault:ident, $text:literal)),+ $(,)? }) => {
        impl $error {
            /// Whose fault it is.
            #[must_use]
            pub const fn fault(&self) -> Fault {
                match self { $($pattern => Fault::$fault),+ }
            }
        }
        impl fmt::Display for $error {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(match self { $($pattern => $text),+ })
            }
        }
        impl core::error::Error for $error {}
    };
}

faults!(MapError {
    Self::OutOfRange => (Caller, "the guest frame is beyond the tree"),
    Self::BadFrame => (Caller, "the machine frame is above 52 bits"),
    Self::Unaligned => (Caller, "the frame is not aligned to the size of the leaf"),
    Self::BadAccess => (Caller, "a leaf must be readable"),
    Self::ExecutableLarge => (Caller, "this tree has no executable large leaves"),
    Self::Occupied(_) => (Caller, "something is mapped there"),
    Self::TableInTheWay => (Caller, "smaller leaves are mapped there"),
    Self::NoMemory => (Hardware, "no frame for a page table"),
    Self::Contended => (Ours, "two writers in one page-table tree"),
});

faults!(ChangeError {
    Self::Absent => (Caller, "nothing is mapped there"),
    Self::OtherSize(_) => (Caller, "a leaf of another size is mapped there"),
    Self::TableInTheWay => (Caller, "smaller leaves are mapped there"),
    Self::BadAccess => (Caller, "a leaf must be readable"),
    Self::ExecutableLarge => (Caller, "this tree has no executable large leaves"),
    Self::Contended => (Ours, "two writers in one page-table tree"),
});

faults!(SplitError {
    Self::Absent => (Caller, "nothing is mapped there"),
    Self::Small => (Caller, "a 4 KiB leaf cannot be split"),
    Self::NoMemory => (Hardware, "no frame for a page table"),
    Self::Contended => (Ours, "two writers in one page-table tree"),
});

faults!(MergeError {
    Self::Absent => (Caller, "nothing is mapped there"),
    Self::Merged(_) => (Caller, "it is one leaf already"),
    Self::NotUniform(_) => (Caller, "the leaves are not contiguous and alike"),
    Self::Unaligned => (Caller, "the frames do not start at a multiple of the size"),
    Self::ExecutableLarge => (Caller, "this tree has no executable large leaves"),
    Self::Contended => (Ours, "two writers in one page-table tree"),
});
