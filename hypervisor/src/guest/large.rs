//! Mapping 2 MiB of a guest at once, where that comes about by itself.
//!
//! Each page is still touched, zeroed and charged alone, but gets its frame at its own place in a block of 2 MiB, if
//! the pool has blocks enough ([`pages::pool`]). When the last page of a region has come, its 512 mappings become
//! one. Whatever takes a single page away (eviction, the balloon, a dirty bit that is watched, the
//! clock's hand) splits the mapping first; see [`crate::memory::nested`]. No state changes with either.

use super::GuestMemory;
use crate::domain::Domain;
use crate::memory::tables::Tables;
use crate::memory::{frames, records};
use paging::{Gfn, Mfn, Size};
use policy::{Marks, water};

/// Regions that wait to be merged at most. One more is only not merged.
pub(super) const RIPE: usize = 8;

/// Pages of a region.
const PAGES: u64 = Size::Large.frames();

impl GuestMemory {
    /// A zeroed frame for a page that has none.
    pub(super) fn frame_for(&self, gfn: Gfn) -> Option<Mfn> {
        frames::allocate_at(self.owner, gfn, || {
            // Only a region that can become whole.
            self.is_ram_range(gfn.align_down(PAGES).0 << 12, PAGES << 12) && self.p2m.is_vacant(&Tables, gfn)
        })
    }

    /// A page was mapped: notes its region if that has all of a block now.
    pub(super) fn note_mapped(&mut self, gfn: Gfn, mfn: Mfn) {
        let region = gfn.align_down(PAGES);
        if gfn.0 % PAGES == mfn.0 % PAGES && !self.ripe.contains(&region) && frames::is_complete(self.owner, gfn, mfn) {
            let _ = self.ripe.push(region);
        }
    }

    /// Makes one mapping of each region that was noted, if all its pages are there and nobody wants them singly. A
    /// guest that may soon be evicted from is left as it is: what the clock took apart is not put together
    /// before at least a region's worth of pages has gone.
    pub fn merge_ripe(&mut self, domain: &Domain) {
        while let Some(region) = self.ripe.pop() {
            let pinned = |mfn| records::table().is_pinned(mfn);
            if self.is_calm() && self.p2m.uniform(&Tables, region, pinned).is_some() {
                self.nested.merge(region, || crate::sched::shoot_down(domain));
            }
        }
    }

    fn is_calm(&self) -> bool {
        let allowed = self.allowed();
        allowed >= self.pages
            || !self.swap.reclaim.is_active()
                && water::is_calm(Marks::for_limit(allowed), allowed, self.p2m.counts().frames(), PAGES)
    }
}
