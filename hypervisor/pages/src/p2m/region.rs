//! Looking at 2 MiB of a domain's pages at once.

use super::P2m;
use crate::PageState;
use paging::{Gfn, Memory, Mfn, Size, geometry};

const PAGES: u64 = Size::Large.frames();

impl P2m {
    /// True if no page of the 2 MiB around `gfn` holds a frame.
    #[must_use]
    pub fn is_vacant(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> bool {
        if gfn >= Self::limit() {
            return false;
        }
        let Some(table) = self.table(mem, gfn, 0) else { return true };
        (0..geometry::ENTRIES)
            .all(|index| PageState::decode(mem.read(table, index)).is_ok_and(|state| state.frame().is_none()))
    }

    /// The first of 512 aligned frames, if these are the frames of the 2 MiB around `gfn`, in their order, and each page
    /// is Resident and has no other copy (its association would not outlive a dirty bit that it shares). `is_pinned`
    /// tells of a frame whether somebody holds on to it.
    #[must_use]
    pub fn uniform(&self, mem: &(impl Memory + ?Sized), gfn: Gfn, is_pinned: impl Fn(Mfn) -> bool) -> Option<Mfn> {
        let table = if gfn < Self::limit() { self.table(mem, gfn, 0)? } else { return None };
        let state = |index| PageState::decode(mem.read(table, index)).ok();
        let first = state(0)?.frame().filter(|mfn| mfn.is_aligned(PAGES))?;
        let fits = |index| match state(index) {
            Some(PageState::Resident { mfn, associated: false, .. }) => {
                mfn.0 == first.0 + index as u64 && !is_pinned(mfn)
            }
            _ => false,
        };
        (0..geometry::ENTRIES).all(fits).then_some(first)
    }
}
