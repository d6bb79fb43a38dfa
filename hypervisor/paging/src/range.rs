//! Working through a range of guest frames in pieces.
//!
//! A guest decides how much is mapped, so no loop here runs over a whole range in one go
//! (XSA-410): each call is given a budget, in table entries looked at, and a cursor remembers
//! where the next call goes on. The tree may change between calls.

use crate::entry::{Contended, Slot};
use crate::{ChangeError, FlushDebt, Format, Gfn, Leaf, Memory, Removed, Tree, geometry};
use core::ops::Range;

/// Where a sweep over a range stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    next: Gfn,
    end: Gfn,
}

/// How far a call came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// The range is done.
    Done,
    /// The budget is used up: call again.
    More,
    /// The leaf at the cursor could not be dealt with: it reaches out of the range
    /// ([`ChangeError::OtherSize`]; split it) or is contended.
    Refused(ChangeError),
}

/// Result of a bounded removal.
#[must_use = "the frames must not be reused before the debt is paid"]
#[derive(Debug)]
pub struct Swept {
    /// How far it came.
    pub progress: Progress,
    /// What is owed for all that this call removed.
    pub debt: FlushDebt,
}

impl Cursor {
    /// At the start of a range.
    #[must_use]
    pub const fn new(range: Range<Gfn>) -> Self {
        Self { next: range.start, end: range.end }
    }

    /// The first frame that was not dealt with.
    #[must_use]
    pub const fn position(&self) -> Gfn {
        self.next
    }

    /// Says that everything before `to` was dealt with; never goes back.
    pub fn advance(&mut self, to: Gfn) {
        self.next = self.next.max(to);
    }

    /// First frame after the range.
    #[must_use]
    pub const fn end(&self) -> Gfn {
        self.end
    }

    /// True if the range is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.next >= self.end
    }
}

enum Step {
    Leaf(Slot),
    End,
    OutOfBudget,
}

impl<F: Format> Tree<F> {
    /// Shows each leaf that lies at least partly in the cursor's range to `visit`, in ascending
    /// order. A `budget` of 0 counts as 1; every call gets on.
    pub fn for_each_bounded(
        &self,
        mem: &(impl Memory + ?Sized),
        cursor: &mut Cursor,
        budget: u32,
        mut visit: impl FnMut(Leaf),
    ) -> Progress {
        let mut budget = budget.max(1);
        loop {
            match self.step(mem, cursor, &mut budget) {
                Step::End => return Progress::Done,
                Step::OutOfBudget => return Progress::More,
                Step::Leaf(slot) => {
                    let leaf = Self::leaf_in(&slot, cursor.next);
                    cursor.next = leaf.end();
                    visit(leaf);
                }
            }
        }
    }

    /// Removes the leaves in the cursor's range and shows each to `removed`; the frames behind
    /// them must not be reused before the debt is paid. Tables stay.
    pub fn unmap_range_bounded(
        &mut self,
        mem: &(impl Memory + ?Sized),
        cursor: &mut Cursor,
        budget: u32,
        mut removed: impl FnMut(Leaf),
    ) -> Swept {
        let mut budget = budget.max(1);
        let mut debt = FlushDebt::nothing();
        let progress = loop {
            let slot = match self.step(mem, cursor, &mut budget) {
                Step::End => break Progress::Done,
                Step::OutOfBudget => break Progress::More,
                Step::Leaf(slot) => slot,
            };
            let leaf = Self::leaf_in(&slot, cursor.next);
            if leaf.gfn < cursor.next || leaf.end() > cursor.end {
                break Progress::Refused(ChangeError::OtherSize(leaf));
            }
            match self.take(mem, &slot, leaf.gfn) {
                Err(Contended) => break Progress::Refused(ChangeError::Contended),
                // One tree has one debt: the latest covers those before it.
                Ok(Removed { leaf, debt: latest }) => {
                    cursor.next = leaf.end();
                    debt = latest;
                    removed(leaf);
                }
            }
        };
        Swept { progress, debt }
    }

    /// Moves the cursor to the next leaf.
    fn step(&self, mem: &(impl Memory + ?Sized), cursor: &mut Cursor, budget: &mut u32) -> Step {
        let end = cursor.end.min(self.limit());
        while cursor.next < end {
            if *budget == 0 {
                return Step::OutOfBudget;
            }
            let slot = self.descend(mem, cursor.next, 0);
            *budget = budget.saturating_sub(u32::from(self.levels() - slot.level));
            if slot.is_leaf::<F>() {
                return Step::Leaf(slot);
            }
            cursor.next = Self::skip_absent(mem, &slot, cursor.next, end, budget);
        }
        Step::End
    }

    /// The first frame after the absent `slot`, and the absent ones that follow it in its table.
    fn skip_absent(mem: &(impl Memory + ?Sized), slot: &Slot, from: Gfn, end: Gfn, budget: &mut u32) -> Gfn {
        let span = geometry::span(slot.level);
        let mut next = Gfn(from.align_down(span).0 + span);
        for index in slot.index + 1..geometry::ENTRIES {
            if next >= end || *budget == 0 || F::is_present(mem.read(slot.table, index)) {
                break;
            }
            *budget -= 1;
            next = Gfn(next.0 + span);
        }
        next
    }
}
