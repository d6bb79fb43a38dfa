//! The name of a page's content in dom0's store.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// 60 bits that name 4 KiB of content: kind (4), unit (16), block (40).
///
/// dom0 gives the names and knows what they mean; the hypervisor keeps them for swapped pages and
/// hands them back unchanged. Kind 0 is "none".
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(transparent)]
pub struct BlockRef(pub u64);

impl BlockRef {
    /// No content is named.
    pub const NONE: Self = Self(0);
    /// Kind: a block of the hypervisor's swap store; `unit` is the store's number.
    pub const SWAP: u8 = 1;
    /// Kind: a block of a guest's disk; `unit` is the disk's number.
    pub const DISK: u8 = 2;
    /// Kind: a block of a saved image.
    pub const IMAGE: u8 = 3;
    /// Number of significant bits.
    pub const BITS: u32 = 60;

    /// A name from its parts; `None` if `kind` or `block` do not fit or `kind` is 0.
    #[must_use]
    pub const fn new(kind: u8, unit: u16, block: u64) -> Option<Self> {
        if kind == 0 || kind > 15 || block >= 1 << 40 {
            return None;
        }
        Some(Self((kind as u64) << 56 | (unit as u64) << 40 | block))
    }

    /// Accepts a word from the other side; `None` if it has bits above the 60 or names nothing.
    #[must_use]
    pub const fn check(word: u64) -> Option<Self> {
        if word >> Self::BITS != 0 || word >> 56 == 0 {
            return None;
        }
        Some(Self(word))
    }

    /// The kind: 0 for none.
    #[must_use]
    pub const fn kind(self) -> u8 {
        (self.0 >> 56) as u8 & 15
    }

    /// Which store, disk or image.
    #[must_use]
    pub const fn unit(self) -> u16 {
        (self.0 >> 40) as u16
    }

    /// Block number in the unit, in 4 KiB.
    #[must_use]
    pub const fn block(self) -> u64 {
        self.0 & ((1 << 40) - 1)
    }

    /// True if this names no content.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}
