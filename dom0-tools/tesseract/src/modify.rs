//! The changing part of a write: bytes home, then the journal, then the answer.
//!
//! Runs when nothing depends on the range. The journal says that a block is at home only when
//! its bytes are there; the guest is answered when the journal is written. So a kill at any
//! point leaves each block with its old or its new content, and the request, told again, repeats
//! harmlessly.

use crate::action::{Op, Outcome};
use crate::job::{Kind, Phase};
use crate::plan::Plan;
use crate::queue::JobId;
use crate::runs::Writes;
use crate::state::Pending;
use crate::{Extent, Map, Record};
use abi::BlockRef;

impl Map {
    pub(crate) fn modify(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let range = match &mut job.kind {
            Kind::Zero { ranges, .. } => ranges.pop(),
            _ => None,
        };
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let plan = match &job.kind {
            Kind::Write(_) => self.plan_write(id, job),
            Kind::Zero { .. } => range.map_or_else(Plan::default, |range| self.plan_zero(job, range)),
            Kind::Read(_) | Kind::Resolve => Plan::default(),
        };
        if plan.bad {
            self.finish_job(id, false);
            return;
        }
        let unmap = matches!(job.kind, Kind::Zero { unmap: true, .. });
        if !plan.records.is_empty() && self.waits_for_journal(id) {
            if let (Some(Kind::Zero { ranges, .. }), Some(range)) = (self.jobs.get_mut(&id).map(|j| &mut j.kind), range)
            {
                ranges.push(range);
            }
            return;
        }
        if let Some(job) = self.jobs.get_mut(&id) {
            (job.hits, job.copies) = (plan.hits, plan.copies);
        }
        self.run_io(id, plan.writes, plan.zeroes, unmap, plan.records, plan.busy);
    }

    /// Hands the job's writes out; what is in `busy` stays unchanged until all of them are done.
    pub(crate) fn run_io(
        &mut self,
        id: JobId,
        writes: Writes,
        zeroes: Vec<Extent>,
        unmap: bool,
        records: Vec<Record>,
        busy: Vec<BlockRef>,
    ) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        if !matches!(job.kind, Kind::Resolve) {
            let (first, end) = (job.first(), job.end());
            if let Some(disk) = self.disks.get_mut(&job.disk) {
                disk.forget_copies(first, end);
            }
        }
        job.phase = Phase::Io;
        job.records = records;
        job.outstanding = u32::try_from(writes.list.len() + zeroes.len()).unwrap_or(u32::MAX);
        if job.outstanding == 0 {
            self.journal(id);
            return;
        }
        job.busy.clone_from(&busy);
        busy.into_iter().for_each(|b| self.use_block(b));
        for (to, pieces) in writes.list {
            self.emit(Op::Write { to, pieces }, Pending::Io { job: id });
        }
        for to in zeroes {
            self.emit(Op::Zero { to, unmap }, Pending::Io { job: id });
        }
    }

    pub(crate) fn job_io_done(&mut self, id: JobId, outcome: Outcome) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.outstanding -= 1;
        job.failed |= outcome != Outcome::Done;
        if job.outstanding > 0 {
            return;
        }
        let failed = job.failed;
        std::mem::take(&mut job.busy).into_iter().for_each(|b| self.idle(b));
        if failed {
            self.finish_job(id, false);
        } else {
            self.journal(id);
        }
    }

    fn journal(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.phase = Phase::Journal;
        let records = job.records.clone();
        if records.is_empty() {
            self.finish_job(id, true);
            return;
        }
        let mut released = Vec::new();
        for record in &records {
            if let Record::Set { disk, slot: Some(slot), .. } = record {
                self.slots.hold(*slot);
                // Planned before a sync failed.
                if self.slots.is_doubtful(*slot)
                    && let Some(d) = self.disks.get_mut(disk)
                {
                    d.untold = true;
                }
            }
            self.refs.apply(record, &mut released);
        }
        if let Some(job) = self.jobs.get_mut(&id) {
            job.released = released;
        }
        self.emit(Op::Journal(records), Pending::Journal { job: Some(id) });
    }

    pub(crate) fn job_journalled(&mut self, id: JobId, outcome: Outcome) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let released = std::mem::take(&mut job.released);
        if outcome == Outcome::Done {
            released.into_iter().for_each(|slot| self.slots.let_go(slot));
        } else {
            self.sick.kept.extend(released);
            let blocks = job.records.iter().filter_map(|r| match r {
                Record::Set { disk, lba, .. } => Some((*disk, *lba)),
                Record::Mark { .. } | Record::Commit { .. } => None,
            });
            self.broken.extend(blocks);
        }
        self.finish_job(id, outcome == Outcome::Done);
    }

    pub(crate) fn apply(&mut self, record: &Record) {
        let mut released = Vec::new();
        self.refs.apply(record, &mut released);
        released.into_iter().for_each(|slot| self.slots.let_go(slot));
    }
}
