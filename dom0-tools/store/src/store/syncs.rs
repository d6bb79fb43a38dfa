//! Syncs of the store itself: one at a time.
//!
//! The kernel tells a lost write to one sync and calls the next one a success. Were two under way, the success could
//! be taken first, and somebody be told that bytes are durable which are gone. What asks meanwhile shares the next.

/// Who waits for which sync.
#[derive(Default, Debug)]
pub(super) struct Syncs {
    /// Who shares the one under way, which goes by the first's token.
    running: Vec<u64>,
    waiting: Vec<u64>,
}

impl Syncs {
    /// One more asks.
    pub(super) fn ask(&mut self, token: u64) {
        self.waiting.push(token);
    }

    /// The token of a sync that is to be started now.
    pub(super) fn start(&mut self) -> Option<u64> {
        if !self.running.is_empty() {
            return None;
        }
        self.running = std::mem::take(&mut self.waiting);
        self.running.first().copied()
    }

    /// Whether `token` is the sync under way, which has ended.
    pub(super) fn is_running(&self, token: u64) -> bool {
        self.running.first() == Some(&token)
    }

    /// It has ended: who else shared it.
    pub(super) fn end(&mut self) -> Vec<u64> {
        let mut sharers = std::mem::take(&mut self.running);
        if !sharers.is_empty() {
            sharers.remove(0);
        }
        sharers
    }
}
