//! Freeing tables that hold nothing any more.

use crate::entry::{Contended, Slot};
use crate::range::{Progress, Swept};
use crate::{ChangeError, FlushDebt, Format, Gfn, Memory, Tree, geometry};

/// Where the freeing of tables stands: lowest tables first, so that those above become empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableCursor {
    start: Gfn,
    next: Gfn,
    end: Gfn,
    level: u8,
}

impl TableCursor {
    /// Over the tables that lead to frames of a range.
    #[must_use]
    pub const fn new(range: core::ops::Range<Gfn>) -> Self {
        Self { start: range.start, next: range.start, end: range.end, level: 0 }
    }
}

impl<F: Format> Tree<F> {
    /// Takes empty tables out of the tree; the root stays. The frames are in the debt.
    ///
    /// `budget` counts entries looked at; a table is looked at as a whole, so a call may go over
    /// it by one table. Tables that are not empty stay, so this may be called at any time.
    pub fn free_tables_bounded(
        &mut self,
        mem: &(impl Memory + ?Sized),
        cursor: &mut TableCursor,
        budget: u32,
    ) -> Swept {
        let mut budget = budget.max(1);
        let mut debt = FlushDebt::nothing();
        let end = cursor.end.min(self.limit());
        while cursor.level < self.levels() - 1 {
            while cursor.next < end {
                if budget == 0 {
                    return Swept { progress: Progress::More, debt };
                }
                let slot = self.descend(mem, cursor.next, cursor.level + 1);
                budget = budget.saturating_sub(u32::from(self.levels() - slot.level));
                if slot.level == cursor.level + 1 && slot.is_table::<F>() {
                    budget = budget.saturating_sub(geometry::ENTRIES as u32);
                    if let Err(Contended) = self.free_if_empty(mem, &slot, &mut debt) {
                        return Swept { progress: Progress::Refused(ChangeError::Contended), debt };
                    }
                }
                let span = geometry::span(slot.level);
                cursor.next = Gfn(cursor.next.align_down(span).0 + span);
            }
            cursor.level += 1;
            cursor.next = cursor.start;
        }
        Swept { progress: Progress::Done, debt }
    }

    fn free_if_empty(
        &mut self,
        mem: &(impl Memory + ?Sized),
        slot: &Slot,
        debt: &mut FlushDebt,
    ) -> Result<(), Contended> {
        let table = F::frame(slot.entry, slot.level);
        if !self.is_empty_table(mem, table) {
            return Ok(());
        }
        slot.update::<F>(mem, |_| 0)?;
        let latest = self.table_debt(mem, table);
        // Both are this tree's, so they join.
        if let Err(other) = debt.join(mem, latest) {
            *debt = other;
        }
        Ok(())
    }
}
