//! Attaching disks, and bringing all of a disk's content home so that the image stands alone.

use crate::action::{Action, Op};
use crate::error::Error;
use crate::queue::JobId;
use crate::runs::Writes;
use crate::state::{Disk, Pending, ResolveRun, Waiter};
use crate::{BLOCK, Extent, Map, Record, Source};

/// Blocks that are brought home in one job.
const STEP: usize = 64;

impl Map {
    /// Makes a disk of `bytes` bytes known. Its references, if the map was restored with any, become readable.
    ///
    /// # Errors
    /// If the number is taken, or references lie beyond the end.
    pub fn attach(&mut self, disk: u16, bytes: u64) -> Result<(), Error> {
        if self.disks.contains_key(&disk) {
            return Err(Error::DiskInUse(disk));
        }
        if let Some((lba, _)) = self.refs.range(disk, bytes / BLOCK, 1 << 40).next() {
            return Err(Error::BeyondEnd { disk, lba });
        }
        self.disks.insert(disk, Disk { bytes, ..Disk::default() });
        Ok(())
    }

    /// Forgets a disk. Its references must have been resolved, unless `keep` says that they stay
    /// in the journal for the next attach.
    ///
    /// # Errors
    /// If requests are live, pages depend on it, or references remain and `keep` is not set.
    pub fn detach(&mut self, disk: u16, keep: bool) -> Result<(), Error> {
        let d = self.disks.get(&disk).ok_or(Error::NoDisk(disk))?;
        if !d.queue.is_empty() || d.flush.is_some() || d.resolve.is_some() {
            return Err(Error::Busy(disk));
        }
        if self.refs.refers(disk) && !keep {
            return Err(Error::HasReferences(disk));
        }
        let first = crate::map::disk_ref(disk, 0);
        if self.swapped.within(first, 1 << 40).next().is_some() || self.pins.within(first, 1 << 40).next().is_some() {
            return Err(Error::HasDependents(disk));
        }
        for (_, page) in self.clean.within(first, 1 << 40).collect::<Vec<_>>() {
            self.unname(page);
        }
        self.disks.remove(&disk);
        Ok(())
    }

    /// Copies every block in a slot back to its home and commits that; ends with
    /// [`Op::Resolved`]. Guests may go on; their writes make no new references meanwhile.
    ///
    /// # Errors
    /// If the disk is not attached.
    pub fn resolve_all(&mut self, disk: u16) -> Result<Vec<Action>, Error> {
        let d = self.disks.get_mut(&disk).ok_or(Error::NoDisk(disk))?;
        if d.resolve.is_none() {
            d.resolve = Some(ResolveRun { next: 0, failed: false });
            self.resolve_next(disk);
        }
        Ok(self.finish_call())
    }

    fn resolve_next(&mut self, disk: u16) {
        let Some(run) = self.disks.get(&disk).and_then(|d| d.resolve) else {
            return;
        };
        let mut first = None;
        let mut end = 0;
        for (lba, _) in self.refs.range(disk, run.next, 1 << 40).take(STEP) {
            let first = *first.get_or_insert(lba);
            if lba - first > 8 * STEP as u64 {
                break;
            }
            end = lba + 1;
        }
        match first {
            Some(first) => self.add_resolve_job(disk, first, end),
            None => self.flush_for(disk, Waiter::Resolve),
        }
    }

    pub(crate) fn start_resolve(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let disk = job.disk;
        let mut writes = Writes::default();
        let mut records = Vec::new();
        for (lba, slot) in self.refs.range(disk, job.first(), job.end()) {
            if self.broken.contains(&(disk, lba)) {
                continue;
            }
            writes.push(Extent::block(disk, lba), Source::Host(Extent::slot(slot)), self.config.max_run);
            records.push(Record::Set { disk, lba, slot: None });
        }
        if !records.is_empty() && self.waits_for_journal(id) {
            return;
        }
        self.totals.resolved += records.len() as u64;
        self.run_io(id, writes, Vec::new(), false, records, Vec::new());
    }

    pub(crate) fn resolve_step_done(&mut self, disk: u16, end: u64, ok: bool) {
        let Some(run) = self.disks.get_mut(&disk).and_then(|d| d.resolve.as_mut()) else {
            return;
        };
        run.next = end;
        run.failed |= !ok;
        self.resolve_next(disk);
    }

    pub(crate) fn resolve_flushed(&mut self, disk: u16, ok: bool) {
        let remain = self.refs.refers(disk);
        let Some(run) = self.disks.get_mut(&disk).and_then(|d| d.resolve.take()) else {
            return;
        };
        let ok = ok && !run.failed && !remain;
        self.emit(Op::Resolved { disk, ok }, Pending::Nothing);
    }
}
