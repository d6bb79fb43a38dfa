//! Whose 2 MiB a block is for.

use crate::Owner;
use crate::p2m::GFN_BITS;
use core::num::NonZeroU32;
use paging::{Gfn, geometry};

const NUMBER_BITS: u32 = GFN_BITS - geometry::TABLE_SHIFT;
/// The fraction of the golden ratio: neighbours come far from each other.
const SPREAD: u32 = 0x9e37_79b1;

/// 512 aligned pages of a domain, as one word: its identifier and the region's number, and 1 more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region(NonZeroU32);

impl Region {
    /// The region that a page is in; `None` where a domain has no pages, and for nobody's.
    #[must_use]
    pub const fn of(owner: Owner, gfn: Gfn) -> Option<Self> {
        match (owner.id(), gfn.0 >> GFN_BITS) {
            (Some(id), 0) => match NonZeroU32::new((id << NUMBER_BITS | (gfn.0 >> geometry::TABLE_SHIFT) as u32) + 1) {
                Some(word) => Some(Self(word)),
                None => None,
            },
            _ => None,
        }
    }

    /// Where among `count` blocks its own is looked for first.
    pub(super) const fn place(self, count: usize) -> usize {
        ((self.0.get().wrapping_mul(SPREAD) as u64 * count as u64) >> 32) as usize
    }
}
