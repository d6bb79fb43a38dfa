//! The changing part of a write: what goes home, what becomes a reference, what is journalled.
//!
//! Runs when nothing depends on the range. Bytes go home first; the journal says so only when
//! they are there; the guest is answered when the journal is written. So a kill at any
//! point leaves each block with its old or its new content, and the request, told again, repeats harmlessly.

use crate::action::{Op, Outcome};
use crate::job::{Content, Job, Kind, Phase};
use crate::map::disk_ref;
use crate::plan::Writes;
use crate::queue::JobId;
use crate::state::{Pending, PinId};
use crate::{BLOCK, BLOCK_LEN, Extent, Map, Medium, Record, Source};
use abi::BlockRef;

/// What a job does to its blocks.
#[derive(Default)]
struct Plan {
    writes: Writes,
    zeroes: Vec<Extent>,
    records: Vec<Record>,
    busy: Vec<BlockRef>,
    hits: u64,
    copies: u64,
    bad: bool,
}

/// A part of a write inside one block: `len` bytes from byte `skip` of its run's content.
#[derive(Clone, Copy)]
struct Part {
    at: u64,
    len: u32,
    skip: u32,
    content: Content,
}

impl Map {
    pub(crate) fn modify(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let plan = match &job.kind {
            Kind::Write(_) => self.plan_write(id, job),
            Kind::Zero { .. } => self.plan_zero(job),
            Kind::Read(_) | Kind::Resolve => Plan::default(),
        };
        if plan.bad {
            self.finish_job(id, false);
            return;
        }
        let unmap = matches!(job.kind, Kind::Zero { unmap: true });
        let domain = job.request.map_or(0, |r| r.domain);
        let stats = self.of(domain);
        stats.r1_hits += plan.hits;
        stats.r1_copies += plan.copies;
        self.run_io(id, plan.writes, plan.zeroes, unmap, plan.records, plan.busy);
    }

    /// Hands the job's writes out; what is in `busy` stays unchanged until they are done.
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
        job.phase = Phase::Io;
        job.records = records;
        job.outstanding = u32::try_from(writes.list.len() + zeroes.len()).unwrap_or(u32::MAX);
        if job.outstanding == 0 {
            self.journal(id);
            return;
        }
        busy.iter().for_each(|&b| self.use_block(b));
        let mut busy = Some(busy);
        for (to, pieces) in writes.list {
            let busy = busy.take().unwrap_or_default();
            self.emit(Op::Write { to, pieces }, Pending::Io { job: id, busy });
        }
        for to in zeroes {
            self.emit(
                Op::Zero { to, unmap },
                Pending::Io {
                    job: id,
                    busy: Vec::new(),
                },
            );
        }
    }

    pub(crate) fn job_io_done(&mut self, id: JobId, outcome: Outcome) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.outstanding -= 1;
        job.failed |= outcome != Outcome::Done;
        if job.outstanding == 0 {
            if job.failed {
                self.finish_job(id, false);
            } else {
                self.journal(id);
            }
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
        for record in &records {
            if let Record::Set {
                slot: Some(slot), ..
            } = record
            {
                self.slots.hold(*slot);
            }
            self.apply(record);
        }
        self.emit(Op::Journal(records), Pending::Journal { job: id });
    }

    pub(crate) fn job_journalled(&mut self, id: JobId, outcome: Outcome) {
        if outcome != Outcome::Done
            && let Some(job) = self.jobs.get(&id)
        {
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
        released
            .into_iter()
            .for_each(|slot| self.slots.let_go(slot));
    }

    /// The block that a pinned page is written to whole, if it is.
    pub(crate) fn pin_target(&self, pin: PinId) -> Option<BlockRef> {
        let job = self.jobs.get(&pin.0)?;
        let Kind::Write(runs) = &job.kind else {
            return None;
        };
        let mut at = job.offset;
        for run in runs {
            if run.content == Content::Pinned(pin.1) {
                return at
                    .is_multiple_of(BLOCK)
                    .then(|| disk_ref(job.disk, at / BLOCK));
            }
            at += u64::from(run.len);
        }
        None
    }

    fn plan_write(&self, id: JobId, job: &Job) -> Plan {
        let mut plan = Plan::default();
        for parts in parts_by_block(job) {
            let Some(first) = parts.first() else { continue };
            let lba = first.at / BLOCK;
            let slot = self.refs.current(job.disk, lba);
            match (first.content, parts.len()) {
                (Content::Pinned(pin), 1) if first.len == BLOCK_LEN => {
                    self.plan_reference(&mut plan, job, lba, slot, (id, pin));
                }
                _ => self.plan_bytes(&mut plan, id, job, lba, slot, &parts),
            }
        }
        plan
    }

    fn plan_reference(
        &self,
        plan: &mut Plan,
        job: &Job,
        lba: u64,
        current: Option<u64>,
        pin: PinId,
    ) {
        let disk = job.disk;
        let Some(content) = self.pins.get(pin) else {
            plan.bad = true;
            return;
        };
        let domain = job.request.map_or(0, |r| r.domain);
        let may_refer = self.switches_of(domain).r1
            && self.disks.get(&disk).is_some_and(|d| d.resolve.is_none())
            && (current.is_some() || self.refs.len() + plan.records.len() < self.config.max_refs);
        if content.kind() == BlockRef::SWAP && may_refer {
            plan.hits += 1;
            if current != Some(content.block()) {
                plan.records.push(Record::Set {
                    disk,
                    lba,
                    slot: Some(content.block()),
                });
            }
            return;
        }
        if content == disk_ref(disk, lba) && current.is_none() {
            return;
        }
        let Some(from) = Extent::of(content) else {
            plan.bad = true;
            return;
        };
        plan.copies += 1;
        if content.kind() == BlockRef::DISK {
            plan.busy.push(content);
        }
        plan.writes.push(
            Extent::block(disk, lba),
            Source::Host(from),
            self.config.max_run,
        );
        if current.is_some() {
            plan.records.push(Record::Set {
                disk,
                lba,
                slot: None,
            });
        }
    }

    fn plan_bytes(
        &self,
        plan: &mut Plan,
        id: JobId,
        job: &Job,
        lba: u64,
        current: Option<u64>,
        parts: &[Part],
    ) {
        let (disk, max) = (job.disk, self.config.max_run);
        let home = |at: u64, len: u32| Extent {
            medium: Medium::Disk(disk),
            offset: at,
            len,
        };
        let start = parts.first().map_or(0, |p| p.at);
        let end = parts.last().map_or(0, |p| p.at + u64::from(p.len));
        // The rest of a block in a slot goes home with what is written.
        let old = |at: u64, len: u64, writes: &mut Writes| {
            if let (Some(slot), Ok(len)) = (current, u32::try_from(len))
                && len > 0
            {
                let skip = u32::try_from(at - lba * BLOCK).unwrap_or(0);
                writes.push(
                    home(at, len),
                    Source::Host(Extent::slot(slot).part(skip, len)),
                    max,
                );
            }
        };
        old(lba * BLOCK, start - lba * BLOCK, &mut plan.writes);
        for part in parts {
            let source = match (part.content, job.request) {
                (Content::Request { at }, Some(request)) => Source::Request {
                    request,
                    at: at + part.skip,
                },
                (Content::Zero, _) => Source::Zero,
                (Content::Pinned(pin), _) => match self
                    .pins
                    .get((id, pin))
                    .and_then(|b| Some((b, Extent::of(b)?)))
                {
                    Some((block, from)) => {
                        if block.kind() == BlockRef::DISK {
                            plan.busy.push(block);
                        }
                        plan.copies += 1;
                        Source::Host(from.part(part.skip, part.len))
                    }
                    None => {
                        plan.bad = true;
                        return;
                    }
                },
                (Content::Request { .. }, None) => {
                    plan.bad = true;
                    return;
                }
            };
            plan.writes.push(home(part.at, part.len), source, max);
        }
        old(end, (lba + 1) * BLOCK - end, &mut plan.writes);
        if current.is_some() {
            plan.records.push(Record::Set {
                disk,
                lba,
                slot: None,
            });
        }
    }

    fn plan_zero(&self, job: &Job) -> Plan {
        const LONGEST: u64 = 1 << 30;
        let mut plan = Plan::default();
        let (disk, start, end) = (job.disk, job.offset, job.offset + job.len);
        let (mut from, mut to) = (start, end);
        for (lba, slot) in self.refs.range(disk, job.first(), job.end()) {
            plan.records.push(Record::Set {
                disk,
                lba,
                slot: None,
            });
            if job.covers(lba) {
                continue;
            }
            // At most the first and the last block: they go home whole.
            let (block, after) = (lba * BLOCK, (lba + 1) * BLOCK);
            let (zero, rest) = (block.max(start), after.min(end));
            for (a, b, source) in [
                (
                    block,
                    zero,
                    Source::Host(Extent::slot(slot).part(0, small(zero - block))),
                ),
                (zero, rest, Source::Zero),
                (
                    rest,
                    after,
                    Source::Host(Extent::slot(slot).part(small(rest - block), small(after - rest))),
                ),
            ] {
                if a < b {
                    let home = Extent {
                        medium: Medium::Disk(disk),
                        offset: a,
                        len: small(b - a),
                    };
                    plan.writes.push(home, source, BLOCK_LEN);
                }
            }
            if block < start {
                from = after.min(end);
            }
            if after > end {
                to = block.max(from);
            }
        }
        while from < to {
            let len = (to - from).min(LONGEST);
            plan.zeroes.push(Extent {
                medium: Medium::Disk(disk),
                offset: from,
                len: u32::try_from(len).unwrap_or(0),
            });
            from += len;
        }
        plan
    }
}

fn small(len: u64) -> u32 {
    u32::try_from(len).unwrap_or(0)
}

/// The job's runs, cut at block boundaries, block by block.
fn parts_by_block(job: &Job) -> Vec<Vec<Part>> {
    let Kind::Write(runs) = &job.kind else {
        return Vec::new();
    };
    let mut blocks: Vec<Vec<Part>> = Vec::new();
    let mut at = job.offset;
    for run in runs {
        let mut skip = 0;
        while skip < run.len {
            let len = small(BLOCK - at % BLOCK).min(run.len - skip);
            let part = Part {
                at,
                len,
                skip,
                content: run.content,
            };
            match blocks.last_mut() {
                Some(parts) if parts.last().is_some_and(|p| p.at / BLOCK == at / BLOCK) => {
                    parts.push(part)
                }
                _ => blocks.push(vec![part]),
            }
            at += u64::from(len);
            skip += len;
        }
    }
    blocks
}
