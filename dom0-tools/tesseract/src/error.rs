//! Why the map refused a call, and what to do about it.

/// Why a call was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The disk is not attached; attach it first.
    NoDisk(u16),
    /// A disk with this number is attached already.
    DiskInUse(u16),
    /// Requests on the disk are live; wait for them.
    Busy(u16),
    /// Blocks of the disk refer to the store; resolve them first.
    HasReferences(u16),
    /// Swapped pages depend on blocks of the disk; end their domain first.
    HasDependents(u16),
    /// A reference beyond the end of the disk: the image was shortened; do not use it.
    BeyondEnd {
        /// The disk.
        disk: u16,
        /// The block.
        lba: u64,
    },
    /// A reference to a slot that the store does not have: wrong store or stale journal.
    NoSuchSlot(u64),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoDisk(d) => write!(f, "disk {d} is not attached: attach it first"),
            Self::DiskInUse(d) => {
                write!(f, "disk number {d} is taken: detach it or choose another")
            }
            Self::Busy(d) => write!(f, "disk {d} has live requests: wait for them to end"),
            Self::HasReferences(d) => write!(f, "disk {d} refers to the store: resolve its references first"),
            Self::HasDependents(d) => write!(f, "swapped pages depend on disk {d}: stop the domain that uses it first"),
            Self::BeyondEnd { disk, lba } => {
                write!(f, "disk {disk} is shorter than its references (block {lba}): the image was changed; restore it")
            }
            Self::NoSuchSlot(s) => write!(f, "slot {s} does not exist: the journal does not belong to this store"),
        }
    }
}

impl std::error::Error for Error {}
