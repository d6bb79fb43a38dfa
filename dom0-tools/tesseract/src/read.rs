//! Guest reads: home blocks and slots, in as few host reads as the runs allow.

use crate::action::Op;
use crate::job::{Kind, Phase};
use crate::queue::JobId;
use crate::runs::Reads;
use crate::state::Pending;
use crate::{BLOCK, Extent, Map, Medium};

impl Map {
    pub(crate) fn start_read(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.phase = Phase::Io;
        let Kind::Read(segments) = std::mem::replace(&mut job.kind, Kind::Read(Vec::new())) else {
            return;
        };
        let (disk, first, end, Some(request)) = (job.disk, job.first(), job.end(), job.request) else {
            return;
        };
        let mut position = job.offset;
        let slots: std::collections::BTreeMap<u64, u64> = self.refs.range(disk, first, end).collect();
        let mut reads = Reads::default();
        for segment in segments {
            let (mut at, mut left) = (segment.at, segment.len);
            while left > 0 {
                let within = position % BLOCK;
                let len = u32::try_from(BLOCK - within).unwrap_or(left).min(left);
                let from = match slots.get(&(position / BLOCK)) {
                    Some(slot) => Extent { medium: Medium::Store, offset: slot * BLOCK + within, len },
                    None => Extent { medium: Medium::Disk(disk), offset: position, len },
                };
                reads.push(from, at, self.config.max_run);
                position += u64::from(len);
                at += len;
                left -= len;
            }
        }
        self.of(request.domain).guest_read_runs += reads.list.len() as u64;
        if let Some(job) = self.jobs.get_mut(&id) {
            job.outstanding = u32::try_from(reads.list.len()).unwrap_or(u32::MAX);
        }
        for (from, at) in reads.list {
            self.emit(Op::Read { from, request, at }, Pending::Io { job: id });
        }
    }
}
