//! Waits before something that went wrong is tried again: ever longer ones.

/// Milliseconds before the first try; doubled each time.
const FIRST: u64 = 10;
/// Doublings of [`Backoff`] at most: about a second.
const DOUBLINGS: u32 = 7;

/// Milliseconds to wait after so many `tries`, with so many doublings at most.
pub(crate) fn pause(tries: u32, doublings: u32) -> u64 {
    FIRST << tries.min(doublings)
}

/// The waits of one thing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backoff {
    /// Waits since it last went well.
    tries: u32,
    /// When the wait is over, by [`crate::Map::set_time`]; `None`: there is none.
    pub(crate) due: Option<u64>,
}

impl Backoff {
    /// Begins a wait; false if one is under way: what goes wrong meanwhile counts as one.
    pub(crate) fn begin(&mut self, now: u64) -> bool {
        if self.due.is_some() {
            return false;
        }
        self.due = Some(now + pause(self.tries, DOUBLINGS));
        self.tries = self.tries.saturating_add(1);
        true
    }

    /// Ends the wait whose time has come; whether there was one.
    pub(crate) fn end(&mut self, now: u64) -> bool {
        self.due.take_if(|due| *due <= now).is_some()
    }

    /// It is not yet time.
    pub(crate) fn waits(&self, now: u64) -> bool {
        self.due.is_some_and(|due| due > now)
    }
}
