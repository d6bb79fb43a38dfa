//! The shape that all formats share: 512 entries a table, 9 bits of the frame number a level.
//!
//! Level 0 is a table whose entries are 4 KiB leaves; level 1 holds 2 MiB leaves or tables of
//! level 0, and so on up to the root.

use crate::address::{FRAME_BITS, Gfn};

/// log2 of the entries of a table.
pub const TABLE_SHIFT: u32 = 9;
/// Entries of a table; a table fills one frame.
pub const ENTRIES: usize = 1 << TABLE_SHIFT;
/// Deepest tree that an architecture has.
pub const MAX_LEVELS: u8 = 5;
/// Shallowest tree that makes sense here: the root must be above every leaf.
pub const MIN_LEVELS: u8 = 4;

const _: () = assert!(ENTRIES * size_of::<u64>() == 1 << crate::address::FRAME_SHIFT);
const _: () = assert!(Size::Huge.level() + 1 < MIN_LEVELS);
const _: () = assert!(TABLE_SHIFT * (MIN_LEVELS as u32) <= FRAME_BITS);

/// Size of a leaf.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Size {
    /// 4 KiB.
    Small = 0,
    /// 2 MiB.
    Large = 1,
    /// 1 GiB.
    Huge = 2,
}

impl Size {
    /// All of them, smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Large, Self::Huge];

    /// The level of the table that holds leaves of this size.
    #[must_use]
    pub const fn level(self) -> u8 {
        self as u8
    }

    /// Size of the leaves in a table of `level`; `None` where there can be none.
    #[must_use]
    pub const fn at_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::Small),
            1 => Some(Self::Large),
            2 => Some(Self::Huge),
            _ => None,
        }
    }

    /// Frames that a leaf of this size covers.
    #[must_use]
    pub const fn frames(self) -> u64 {
        span(self.level())
    }

    /// The next smaller size.
    #[must_use]
    pub const fn smaller(self) -> Option<Self> {
        match self {
            Self::Small => None,
            Self::Large => Some(Self::Small),
            Self::Huge => Some(Self::Large),
        }
    }
}

/// Frames that one entry of a table of `level` covers.
#[must_use]
pub const fn span(level: u8) -> u64 {
    1 << (TABLE_SHIFT * level as u32)
}

/// Index in the table of `level` on the way to `gfn`; below [`ENTRIES`].
#[must_use]
pub const fn index(gfn: Gfn, level: u8) -> usize {
    (gfn.0 >> (TABLE_SHIFT * level as u32)) as usize % ENTRIES
}

/// First frame number that a tree of `levels` cannot name.
#[must_use]
pub const fn limit(levels: u8) -> Gfn {
    let bits = TABLE_SHIFT * levels as u32;
    Gfn(1 << if bits < FRAME_BITS { bits } else { FRAME_BITS })
}
