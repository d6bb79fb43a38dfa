//! The one function that changes a page's state.

use super::{Event, EventKind, PageState, StateKind};
use core::fmt;
use paging::Fault;

/// The event is not possible in this state; nothing changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forbidden {
    /// The state.
    pub state: StateKind,
    /// The event.
    pub event: EventKind,
}

impl Forbidden {
    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.event.fault()
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "event {:?} is not possible for a page in state {:?}", self.event, self.state)
    }
}

impl core::error::Error for Forbidden {}

/// What becomes of a page.
///
/// # Errors
/// The event is forbidden in this state, or (Move) names other content than the page has.
pub fn step(state: PageState, event: Event) -> Result<PageState, Forbidden> {
    use Event as E;
    use PageState as S;
    Ok(match (state, event) {
        (S::Absent | S::Ballooned, E::Populate { mfn }) => S::Resident { mfn, associated: false, young: true },
        (S::Absent, E::Adopt { block }) => S::Swapped { block },
        (S::Ballooned, E::Deflate) => S::Absent,

        (S::Resident { mfn, associated, .. }, E::Touch) => S::Resident { mfn, associated, young: true },
        (S::Resident { mfn, associated, .. }, E::Age) => S::Resident { mfn, associated, young: false },
        (S::Resident { mfn, young, .. }, E::Written) => S::Resident { mfn, associated: false, young },
        (S::Resident { mfn, young, .. }, E::Associate) => S::Resident { mfn, associated: true, young },
        (S::Resident { mfn, associated, .. }, E::Evict { dirty }) => S::PagingOut { mfn, dirty: dirty || !associated },
        (S::Resident { .. }, E::Share { mfn }) => S::Shared { mfn },

        (S::Shared { .. }, E::Touch | E::Age) => state,
        (S::Shared { .. }, E::CopyOnWrite { mfn }) => S::Resident { mfn, associated: false, young: true },
        (S::Shared { mfn }, E::Unshare) => S::Resident { mfn, associated: false, young: true },

        (S::Swapped { .. }, E::PageInStart { record }) => S::PagingIn { record, waiters: false },
        (S::Swapped { .. }, E::PageInDone { mfn, keep }) => S::Resident { mfn, associated: keep, young: false },
        (S::Swapped { .. }, E::RequestRead { mfn }) => S::Dma { mfn },
        (S::Swapped { block }, E::Move { from, to }) if block == from => S::Swapped { block: to },

        (S::PagingIn { record, .. }, E::Wait) => S::PagingIn { record, waiters: true },
        (S::PagingIn { .. }, E::PageInDone { mfn, keep }) => S::Resident { mfn, associated: keep, young: true },
        (S::PagingIn { .. }, E::PageInFailed { block }) => S::Swapped { block },

        (S::PagingOut { .. }, E::PageOutDone { block }) => S::Swapped { block },
        (S::PagingOut { mfn, dirty }, E::PageOutFailed | E::PageOutCancelled) => {
            S::Resident { mfn, associated: !dirty, young: true }
        }
        (S::Resident { .. } | S::PagingOut { .. }, E::DropZero) => S::Absent,

        (S::Dma { .. }, E::Touch) => state,
        (S::Dma { mfn }, E::RequestComplete { associated }) => S::Resident { mfn, associated, young: true },

        (
            S::Absent
            | S::Resident { .. }
            | S::Shared { .. }
            | S::Swapped { .. }
            | S::PagingIn { .. }
            | S::PagingOut { .. },
            E::Balloon,
        ) => S::Ballooned,
        (
            S::Absent
            | S::Resident { .. }
            | S::Shared { .. }
            | S::Swapped { .. }
            | S::PagingIn { .. }
            | S::PagingOut { .. },
            E::Discard,
        ) => S::Absent,

        _ => {
            return Err(Forbidden { state: state.kind(), event: event.kind() });
        }
    })
}
