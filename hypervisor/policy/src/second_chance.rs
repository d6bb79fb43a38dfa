//! Choosing pages to evict: a clock hand over a domain's guest frames.
//!
//! The hand goes round. A page that was accessed since the hand last came by is spared, once,
//! and its bit cleared; one that was not is chosen. Pinned pages are passed by.
//!
//! The bit is a hint: a processor that remembers a translation does not set it again. Whoever
//! samples pays for one flush of the domain each time the hand has gone round
//! ([`Report::rounds`]), or hot pages look cold.

use paging::Gfn;

/// What there is at a guest frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// A resident page that may be evicted.
    Candidate,
    /// A resident page that must stay: a live request, or a loan to somebody else, holds it.
    Pinned,
    /// No resident page.
    Nothing,
    /// No resident page from here up to, not including, this frame.
    NothingUntil(Gfn),
}

/// The hand: where the next call goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hand {
    next: Gfn,
}

/// What a call did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Pages chosen.
    pub chosen: u32,
    /// Frames looked at.
    pub looked: u32,
    /// Pages spared because they were accessed.
    pub spared: u32,
    /// Pages passed by because they are pinned.
    pub pinned: u32,
    /// How often the hand passed the end.
    pub rounds: u32,
}

/// Rounds in one call: the first clears what the second finds cleared; a third finds nothing new.
const MAX_ROUNDS: u32 = 2;

impl Hand {
    /// At the domain's first frame.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: Gfn(0) }
    }

    /// Where it stands.
    #[must_use]
    pub const fn position(&self) -> Gfn {
        self.next
    }

    /// Moves on over the frames below `end` and shows up to `wanted` victims to `choose`, after
    /// looking at no more than `budget` frames. `look` tells what is at a frame;
    /// `test_and_clear` whether its page was accessed. Fewer victims than wanted means that the
    /// budget is used up, or that two rounds did not find more.
    pub fn advance(
        &mut self,
        end: Gfn,
        wanted: u32,
        budget: u32,
        mut look: impl FnMut(Gfn) -> Look,
        mut test_and_clear: impl FnMut(Gfn) -> bool,
        mut choose: impl FnMut(Gfn),
    ) -> Report {
        let mut report = Report::default();
        if end.0 == 0 {
            return report;
        }
        let start = if self.next < end { self.next } else { Gfn(0) };
        self.next = start;
        while report.chosen < wanted && report.looked < budget {
            let gfn = self.next;
            report.looked += 1;
            let mut next = gfn.0 + 1;
            match look(gfn) {
                Look::Nothing => {}
                Look::NothingUntil(until) => next = next.max(until.0),
                Look::Pinned => report.pinned += 1,
                Look::Candidate if test_and_clear(gfn) => report.spared += 1,
                Look::Candidate => {
                    report.chosen += 1;
                    choose(gfn);
                }
            }
            if next >= end.0 {
                report.rounds += 1;
                next = 0;
            }
            self.next = Gfn(next);
            if report.rounds >= MAX_ROUNDS && self.next >= start || report.rounds > MAX_ROUNDS {
                break;
            }
        }
        report
    }
}
