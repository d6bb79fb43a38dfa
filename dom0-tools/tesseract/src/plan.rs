//! What a write or a zeroing does to its blocks: bytes that go home, references, records.

use crate::job::{Content, Job, Kind};
use crate::map::disk_ref;
use crate::queue::JobId;
use crate::runs::Writes;
use crate::state::PinId;
use crate::{BLOCK, BLOCK_LEN, Extent, Map, Medium, Record, Source};
use abi::BlockRef;

/// What a job does to its blocks.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) writes: Writes,
    pub(crate) zeroes: Vec<Extent>,
    /// To be journalled when the bytes are home.
    pub(crate) records: Vec<Record>,
    /// Disk blocks that the writes read.
    pub(crate) busy: Vec<BlockRef>,
    /// Blocks that become references.
    pub(crate) hits: u64,
    /// Referenced pages that are copied home.
    pub(crate) copies: u64,
    /// Content is gone or of a kind that is not known here.
    pub(crate) bad: bool,
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
    /// The block that a pinned page is written to whole, if it is.
    pub(crate) fn pin_target(&self, pin: PinId) -> Option<BlockRef> {
        let job = self.jobs.get(&pin.0)?;
        let Kind::Write(runs) = &job.kind else {
            return None;
        };
        let mut at = job.offset;
        for run in runs {
            if run.content == Content::Pinned(pin.1) {
                return at.is_multiple_of(BLOCK).then(|| disk_ref(job.disk, at / BLOCK));
            }
            at += u64::from(run.len);
        }
        None
    }

    pub(crate) fn plan_write(&self, id: JobId, job: &Job) -> Plan {
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

    fn plan_reference(&self, plan: &mut Plan, job: &Job, lba: u64, current: Option<u64>, pin: PinId) {
        let disk = job.disk;
        let Some(content) = self.pins.get(pin) else {
            plan.bad = true;
            return;
        };
        let domain = job.request.map_or(0, |r| r.domain);
        let may_refer = self.switches_of(domain).r1
            && self.journal_is_well()
            && !self.slots.is_doubtful(content.block())
            && self.disks.get(&disk).is_some_and(|d| d.resolve.is_none())
            && (current.is_some() || self.refs.len() + plan.records.len() < self.config.max_refs);
        if content.kind() == BlockRef::SWAP && may_refer {
            plan.hits += 1;
            if current != Some(content.block()) {
                plan.records.push(Record::Set { disk, lba, slot: Some(content.block()) });
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
        plan.writes.push(Extent::block(disk, lba), Source::Host(from), self.config.max_run);
        if current.is_some() {
            plan.records.push(Record::Set { disk, lba, slot: None });
        }
    }

    fn plan_bytes(&self, plan: &mut Plan, id: JobId, job: &Job, lba: u64, current: Option<u64>, parts: &[Part]) {
        let (disk, max) = (job.disk, self.config.max_run);
        let home = |at: u64, len: u32| Extent { medium: Medium::Disk(disk), offset: at, len };
        let start = parts.first().map_or(0, |p| p.at);
        let end = parts.last().map_or(0, |p| p.at + u64::from(p.len));
        // The rest of a block in a slot goes home with what is written.
        let old = |at: u64, len: u64, writes: &mut Writes| {
            if let (Some(slot), Ok(len)) = (current, u32::try_from(len))
                && len > 0
            {
                let skip = u32::try_from(at - lba * BLOCK).unwrap_or(0);
                writes.push(home(at, len), Source::Host(Extent::slot(slot).part(skip, len)), max);
            }
        };
        old(lba * BLOCK, start - lba * BLOCK, &mut plan.writes);
        for part in parts {
            let source = match (part.content, job.request) {
                (Content::Request { at }, Some(request)) => Source::Request { request, at: at + part.skip },
                (Content::Zero, _) => Source::Zero,
                (Content::Pinned(pin), _) => match self.pins.get((id, pin)).and_then(|b| Some((b, Extent::of(b)?))) {
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
            plan.records.push(Record::Set { disk, lba, slot: None });
        }
    }
}

pub(crate) fn small(len: u64) -> u32 {
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
            let part = Part { at, len, skip, content: run.content };
            match blocks.last_mut() {
                Some(parts) if parts.last().is_some_and(|p| p.at / BLOCK == at / BLOCK) => parts.push(part),
                _ => blocks.push(vec![part]),
            }
            at += u64::from(len);
            skip += len;
        }
    }
    blocks
}
