//! Flushes: what a guest was told is on its disk survives a loss of power.
//!
//! First the image and the slots are made durable, together with a mark in the journal; then the
//! journal commits the mark, and that is made durable. The order matters both ways: a reference
//! must not outlive a crash that its slot did not, nor a "home again" one that the home bytes
//! did not. Until the commit is durable, the slots of the last durable state stay untouched.

use crate::action::{Durable, Op, Outcome, Status};
use crate::state::{FlushPart, FlushRun, FlushStep, Pending, Waiter};
use crate::{Map, Record};

impl Map {
    /// Starts a flush, or, while one runs, has the waiter take part in the next.
    pub(crate) fn flush_for(&mut self, disk: u16, waiter: Waiter) {
        let Some(d) = self.disks.get_mut(&disk) else {
            return;
        };
        d.waiting.push(waiter);
        if d.flush.is_none() {
            self.begin_flush(disk);
        }
    }

    fn begin_flush(&mut self, disk: u16) {
        let commit = self.refs.tentative(disk) > 0;
        let Some(d) = self.disks.get_mut(&disk) else {
            return;
        };
        let waiters = std::mem::take(&mut d.waiting);
        let mark = self.next_mark;
        let (step, left) = if commit { (FlushStep::Data(Some(mark)), 3) } else { (FlushStep::Data(None), 1) };
        let lost = waiters.iter().any(Waiter::is_guest) && std::mem::take(&mut d.untold);
        d.flush = Some(FlushRun { step, left, failed: false, lost, waiters });
        if commit {
            self.next_mark += 1;
            let record = Record::Mark { disk, mark };
            self.apply(&record);
            self.emit(Op::Journal(vec![record]), Pending::Flush { disk, part: FlushPart::Append });
            self.emit(Op::Sync(Durable::Store), Pending::Flush { disk, part: FlushPart::Store });
        }
        self.emit(Op::Sync(Durable::Disk(disk)), Pending::Flush { disk, part: FlushPart::Image });
    }

    pub(crate) fn flush_step_done(&mut self, disk: u16, part: FlushPart, outcome: Outcome) {
        let Some(d) = self.disks.get_mut(&disk) else { return };
        let Some(run) = &mut d.flush else { return };
        run.left -= 1;
        run.failed |= outcome != Outcome::Done;
        run.lost |= outcome != Outcome::Done && part != FlushPart::Append;
        if part == FlushPart::Image
            && outcome != Outcome::Done
            && let Some(resolve) = &mut d.resolve
        {
            resolve.copied.clear();
        }
        if run.left > 0 {
            return;
        }
        let failed = run.failed;
        match run.step {
            FlushStep::Data(Some(mark)) if !failed => {
                (run.step, run.left) = (FlushStep::Commit(mark), 1);
                let commit = Op::Journal(vec![Record::Commit { disk, mark }]);
                self.emit(commit, Pending::Flush { disk, part: FlushPart::Append });
            }
            FlushStep::Commit(mark) if !failed => {
                (run.step, run.left) = (FlushStep::Seal(mark), 1);
                self.emit(Op::Sync(Durable::Journal), Pending::Flush { disk, part: FlushPart::Store });
            }
            FlushStep::Seal(mark) if !failed => {
                self.apply(&Record::Commit { disk, mark });
                self.totals.commits += 1;
                self.end_flush(disk, true);
            }
            FlushStep::Data(_) | FlushStep::Commit(_) | FlushStep::Seal(_) => self.end_flush(disk, !failed),
        }
    }

    /// The store did not become durable, as the flush of `disk` will tell. The kernel tells it once: whatever else
    /// relies on the store's bytes must not take a later success for its own.
    pub(crate) fn store_not_durable(&mut self, disk: u16) {
        self.slots.doubt();
        for (&other, d) in self.disks.iter_mut().filter(|(other, _)| **other != disk) {
            match &mut d.flush {
                Some(run) if run.step != FlushStep::Data(None) => run.lost = true,
                _ => d.untold |= self.refs.tentative(other) > 0,
            }
        }
    }

    fn end_flush(&mut self, disk: u16, ok: bool) {
        let Some(d) = self.disks.get_mut(&disk) else {
            return;
        };
        d.commit_failed = !ok;
        let Some(run) = d.flush.take() else { return };
        d.untold |= run.lost && !run.waiters.iter().any(Waiter::is_guest);
        let more = !d.waiting.is_empty();
        for waiter in run.waiters {
            match waiter {
                Waiter::Map => {}
                Waiter::Request(request) if ok && !run.lost => {
                    self.emit(Op::Complete { request, status: Status::Ok, associate: false }, Pending::Nothing);
                }
                Waiter::Request(request) => self.refuse(request),
                Waiter::Resolve => self.resolve_flushed(disk, ok),
            }
        }
        if more {
            self.begin_flush(disk);
        }
    }
}
