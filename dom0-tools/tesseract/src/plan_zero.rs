//! Zeroing: home blocks by range, blocks in slots by forgetting the reference.

use crate::job::Job;
use crate::plan::{Plan, small};
use crate::{BLOCK, BLOCK_LEN, Extent, Map, Medium, Record, Source};

impl Map {
    pub(crate) fn plan_zero(&self, job: &Job, range: (u64, u64)) -> Plan {
        const LONGEST: u64 = 1 << 30;
        let mut plan = Plan::default();
        let (disk, start, end) = (job.disk, range.0, range.0 + range.1);
        let (mut from, mut to) = (start, end);
        for (lba, slot) in self.refs.range(disk, start / BLOCK, end.div_ceil(BLOCK)) {
            plan.records.push(Record::Set { disk, lba, slot: None });
            if lba * BLOCK >= start && (lba + 1) * BLOCK <= end {
                continue;
            }
            // At most the first and the last block: they go home whole.
            let (block, after) = (lba * BLOCK, (lba + 1) * BLOCK);
            let (zero, rest) = (block.max(start), after.min(end));
            for (a, b, source) in [
                (block, zero, Source::Host(Extent::slot(slot).part(0, small(zero - block)))),
                (zero, rest, Source::Zero),
                (rest, after, Source::Host(Extent::slot(slot).part(small(rest - block), small(after - rest)))),
            ] {
                if a < b {
                    let home = Extent { medium: Medium::Disk(disk), offset: a, len: small(b - a) };
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
            plan.zeroes.push(Extent { medium: Medium::Disk(disk), offset: from, len: u32::try_from(len).unwrap_or(0) });
            from += len;
        }
        plan
    }
}
