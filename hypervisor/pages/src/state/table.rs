//! The written table of transitions. [`super::step`] is code and this is its specification;
//! [`crate::self_test`] holds one against the other.

use super::{EventKind as E, StateKind as S};

/// Every (state, event, next state) that there is.
pub const TRANSITIONS: &[(S, E, S)] = &[
    (S::Absent, E::Populate, S::Resident),
    (S::Absent, E::Adopt, S::Swapped),
    (S::Absent, E::Balloon, S::Ballooned),
    (S::Absent, E::Discard, S::Absent),
    (S::Resident, E::Touch, S::Resident),
    (S::Resident, E::Age, S::Resident),
    (S::Resident, E::Written, S::Resident),
    (S::Resident, E::Associate, S::Resident),
    (S::Resident, E::Evict, S::PagingOut),
    (S::Resident, E::Share, S::Shared),
    (S::Resident, E::DropZero, S::Absent),
    (S::Resident, E::Discard, S::Absent),
    (S::Resident, E::Balloon, S::Ballooned),
    (S::Shared, E::Touch, S::Shared),
    (S::Shared, E::Age, S::Shared),
    (S::Shared, E::CopyOnWrite, S::Resident),
    (S::Shared, E::Unshare, S::Resident),
    (S::Shared, E::Discard, S::Absent),
    (S::Shared, E::Balloon, S::Ballooned),
    (S::Swapped, E::PageInStart, S::PagingIn),
    (S::Swapped, E::PageInDone, S::Resident),
    (S::Swapped, E::RequestRead, S::Dma),
    (S::Swapped, E::Move, S::Swapped),
    (S::Swapped, E::Discard, S::Absent),
    (S::Swapped, E::Balloon, S::Ballooned),
    (S::Ballooned, E::Deflate, S::Absent),
    (S::Ballooned, E::Populate, S::Resident),
    (S::PagingIn, E::Wait, S::PagingIn),
    (S::PagingIn, E::PageInDone, S::Resident),
    (S::PagingIn, E::PageInFailed, S::Swapped),
    (S::PagingIn, E::Discard, S::Absent),
    (S::PagingIn, E::Balloon, S::Ballooned),
    (S::PagingOut, E::PageOutDone, S::Swapped),
    (S::PagingOut, E::PageOutFailed, S::Resident),
    (S::PagingOut, E::PageOutCancelled, S::Resident),
    (S::PagingOut, E::DropZero, S::Absent),
    (S::PagingOut, E::Discard, S::Absent),
    (S::PagingOut, E::Balloon, S::Ballooned),
    (S::Dma, E::Touch, S::Dma),
    (S::Dma, E::RequestComplete, S::Resident),
];

/// The state that the table says follows; `None` if the event is forbidden.
#[must_use]
pub fn target(state: S, event: E) -> Option<S> {
    TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (state, event)).map(|(_, _, to)| *to)
}
