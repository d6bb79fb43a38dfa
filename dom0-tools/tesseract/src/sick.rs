//! A journal that cannot be written: guests' writes go on without it as far as they can.
//!
//! While it is sick no write becomes a reference: bytes are copied home instead. What changes a
//! reference all the same first asks whether the journal is well again, and fails before it changes
//! anything if it is not. The records that failed are not lost: an executor that appends again
//! has them on disk first (contract, point 2), so a success makes everything known again.

use crate::Map;
use crate::action::{ActionId, Op, Outcome};
use crate::job::Phase;
use crate::queue::JobId;
use crate::state::Pending;

/// Milliseconds between two questions whether the journal is well again.
const PAUSE: u64 = 1000;

/// What a failed append leaves.
#[derive(Debug, Default)]
pub(crate) struct Sick {
    /// The youngest append that failed; `None`: the journal is well.
    since: Option<ActionId>,
    /// When to ask again, by [`Map::set_time`].
    pub(crate) due: u64,
    /// Slots that the journal on disk may still refer to.
    pub(crate) kept: Vec<u64>,
}

impl Map {
    /// True unless the last append to the journal failed.
    #[must_use]
    pub fn journal_is_well(&self) -> bool {
        self.sick.since.is_none()
    }

    /// What came of an append.
    pub(crate) fn appended(&mut self, id: ActionId, outcome: Outcome) {
        match (outcome, self.sick.since) {
            (Outcome::Done, None) => {}
            (Outcome::Done, Some(failed)) if failed < id => {
                self.sick.since = None;
                self.broken.clear();
                std::mem::take(&mut self.sick.kept).into_iter().for_each(|slot| self.slots.let_go(slot));
            }
            // An older append's success says nothing of this failure.
            (Outcome::Done, Some(_)) => {}
            (Outcome::Declined | Outcome::NoRoom | Outcome::Failed, since) => {
                self.sick.since = since.max(Some(id));
                self.sick.due = self.now + PAUSE;
            }
        }
    }

    /// Asks now and then whether the journal is well again.
    pub(crate) fn ask_journal(&mut self) {
        if !self.journal_is_well() && self.now >= self.sick.due {
            self.sick.due = self.now + PAUSE;
            self.emit(Op::Journal(Vec::new()), Pending::Journal { job: None });
        }
    }

    /// Before a job changes references: true if it must wait for the journal's word.
    pub(crate) fn waits_for_journal(&mut self, id: JobId) -> bool {
        let well = self.journal_is_well();
        if !well && let Some(job) = self.jobs.get_mut(&id) {
            job.phase = Phase::Queued;
            self.emit(Op::Journal(Vec::new()), Pending::Ask { job: id });
        }
        !well
    }

    /// The journal's word: the job goes on, or ends with nothing changed.
    pub(crate) fn journal_answered(&mut self, id: JobId, outcome: Outcome) {
        if outcome == Outcome::Done {
            self.start(id);
        } else {
            self.finish_job(id, false);
        }
    }
}
