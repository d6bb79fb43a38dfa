//! Domains whose page-outs the store could not write: told to go on, ever more seldom while it fails.

use crate::Map;
use crate::action::Op;
use crate::backoff::Backoff;
use crate::state::Pending;

impl Map {
    /// The store has not written a page of the domain, which therefore evicts nothing until it is told to.
    pub(crate) fn pause(&mut self, domain: u32) {
        let now = self.now;
        self.paused.entry(domain).or_default().begin(now);
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
        let due = |(domain, paused): (&u32, &mut Backoff)| paused.end(now).then_some(*domain);
        let told: Vec<_> = self.paused.iter_mut().filter_map(due).collect();
        for domain in told {
            self.emit(Op::Retry { domain }, Pending::Nothing);
        }
    }
}
