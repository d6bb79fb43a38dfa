//! How many pages are in which state.

use crate::StateKind;

/// Pages by state. Absent is not counted: how many pages a domain has is not known here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts([u64; StateKind::COUNT]);

impl Counts {
    /// Pages in this state; 0 for Absent.
    #[must_use]
    pub const fn of(&self, kind: StateKind) -> u64 {
        self.0[kind as usize]
    }

    /// Pages that hold a frame of the domain's own: what it is charged for, without tables.
    #[must_use]
    pub const fn frames(&self) -> u64 {
        self.of(StateKind::Resident) + self.of(StateKind::PagingOut) + self.of(StateKind::Dma)
    }

    /// Pages between two states.
    #[must_use]
    pub const fn in_flight(&self) -> u64 {
        self.of(StateKind::PagingIn) + self.of(StateKind::PagingOut) + self.of(StateKind::Dma)
    }

    pub(super) fn change(&mut self, from: StateKind, to: StateKind) {
        if from != StateKind::Absent {
            self.0[from as usize] -= 1;
        }
        if to != StateKind::Absent {
            self.0[to as usize] += 1;
        }
    }
}
