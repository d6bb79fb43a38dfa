//! Going through a domain's pages in pieces, and giving the map back.

use super::map::LEVELS;
use super::{P2m, P2mError};
use crate::PageState;
use paging::{Cursor, Gfn, Memory, Mfn, geometry};

/// How far a call came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The range is done.
    Done,
    /// The budget is used up: call again.
    More,
}

impl P2m {
    /// Shows each page of the cursor's range that is not Absent to `visit`, ascending. `budget`
    /// counts words looked at (0 counts as 1). The map may change between calls.
    ///
    /// # Errors
    /// The map is overwritten; the cursor stands after the bad word.
    pub fn for_each_bounded(
        &self,
        mem: &(impl Memory + ?Sized),
        cursor: &mut Cursor,
        budget: u32,
        mut visit: impl FnMut(Gfn, PageState),
    ) -> Result<Progress, P2mError> {
        let mut budget = budget.max(1);
        let end = cursor.end().min(Self::limit());
        while cursor.position() < end {
            if budget == 0 {
                return Ok(Progress::More);
            }
            let gfn = cursor.position();
            let Some(table) = self.table(mem, gfn, 0) else {
                budget -= 1;
                cursor.advance(after(gfn, self.lowest(mem, gfn)));
                continue;
            };
            let stop = after(gfn, 1).min(end).0.min(gfn.0 + u64::from(budget));
            for gfn in (gfn.0..stop).map(Gfn) {
                budget -= 1;
                cursor.advance(Gfn(gfn.0 + 1));
                match PageState::decode(mem.read(table, geometry::index(gfn, 0)))? {
                    PageState::Absent => {}
                    state => visit(gfn, state),
                }
            }
        }
        Ok(Progress::Done)
    }

    /// Frees tables that say nothing but Absent, in the cursor's range. `budget` as above, but a
    /// table is looked at as a whole, so a call may go over it by two tables.
    pub fn free_tables_bounded(&mut self, mem: &(impl Memory + ?Sized), cursor: &mut Cursor, budget: u32) -> Progress {
        let mut budget = budget.max(1);
        let end = cursor.end().min(Self::limit());
        while cursor.position() < end {
            if budget == 0 {
                return Progress::More;
            }
            let gfn = cursor.position();
            let next = after(gfn, self.lowest(mem, gfn).max(1));
            let mut seen = 1 + self.free_if_empty(mem, gfn, 0);
            if next >= end || next.is_aligned(geometry::span(2)) {
                seen += self.free_if_empty(mem, gfn, 1);
            }
            budget = budget.saturating_sub(seen);
            cursor.advance(next);
        }
        Progress::Done
    }

    /// Ends an empty map.
    ///
    /// # Errors
    /// The map, if some page is not Absent or a table was not freed.
    pub fn dissolve(self, mem: &(impl Memory + ?Sized)) -> Result<(), Self> {
        if !is_empty(mem, self.root) {
            return Err(self);
        }
        mem.free(self.root);
        Ok(())
    }

    /// Level of the lowest table that is there for `gfn`.
    fn lowest(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> u8 {
        (0..LEVELS).find(|&level| self.table(mem, gfn, level).is_some()).unwrap_or(LEVELS - 1)
    }

    /// Takes the table of `level` for `gfn` out if it is empty. Returns the words looked at.
    fn free_if_empty(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn, level: u8) -> u32 {
        let (Some(table), Some(above)) = (self.table(mem, gfn, level), self.table(mem, gfn, level + 1)) else {
            return 0;
        };
        if is_empty(mem, table) {
            mem.write(above, geometry::index(gfn, level + 1), 0);
            mem.free(table);
            self.tables -= 1;
        }
        geometry::ENTRIES as u32
    }
}

fn is_empty(mem: &(impl Memory + ?Sized), table: Mfn) -> bool {
    (0..geometry::ENTRIES).all(|index| mem.read(table, index) == 0)
}

/// The first frame after the one entry of a table of `level` that covers `gfn`.
const fn after(gfn: Gfn, level: u8) -> Gfn {
    let span = geometry::span(level);
    Gfn(gfn.align_down(span).0 + span)
}
