//! Domains whose page-outs the store could not write: told to go on, ever more seldom while it fails.

use crate::Map;
use crate::action::Op;
use crate::state::Pending;

/// Milliseconds from the first failure to the next try; doubled each time.
const FIRST: u64 = 10;
/// Doublings at most: about a second.
const DOUBLINGS: u32 = 7;

/// What the failures of a domain's page-outs lead to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Paused {
    /// Failures since the last page-out that was written, of which those of one try count as one.
    tries: u32,
    /// When the domain is told to go on, by [`Map::set_time`]; `None`: it was told.
    pub(crate) due: Option<u64>,
}

impl Map {
    /// The store has not written a page of the domain, which therefore evicts nothing until it is told to.
    pub(crate) fn pause(&mut self, domain: u32) {
        let now = self.now;
        let paused = self.paused.entry(domain).or_default();
        if paused.due.is_none() {
            paused.due = Some(now + (FIRST << paused.tries.min(DOUBLINGS)));
            paused.tries = paused.tries.saturating_add(1);
        }
    }

    /// A page of the domain was written.
    pub(crate) fn unpause(&mut self, domain: u32) {
        if self.paused.get(&domain).is_some_and(|paused| paused.due.is_none()) {
            self.paused.remove(&domain);
        }
    }

    /// Tells those whose time has come.
    pub(crate) fn serve_paused(&mut self) {
        let now = self.now;
        let due = |(domain, paused): (&u32, &mut Paused)| paused.due.take_if(|due| *due <= now).map(|_| *domain);
        let told: Vec<_> = self.paused.iter_mut().filter_map(due).collect();
        for domain in told {
            self.emit(Op::Retry { domain }, Pending::Nothing);
        }
    }
}
