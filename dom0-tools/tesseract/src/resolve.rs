//! Attaching disks, and bringing all of a disk's content home so that the image stands alone.

use crate::action::{Action, Op};
use crate::error::Error;
use crate::queue::JobId;
use crate::runs::Writes;
use crate::state::{Disk, Pending, ResolveRun, Waiter};
use crate::{BLOCK, Extent, Map, Record, Source};

/// Blocks that are brought home in one job.
const STEP: usize = 64;

impl Disk {
    /// Other bytes than the slots' come to these homes, or none may have come.
    pub(crate) fn forget_copies(&mut self, first: u64, end: u64) {
        if let Some(run) = &mut self.resolve {
            run.copied.extract_if(first..end, |_| true).for_each(drop);
        }
    }
}

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

    /// Copies every block in a slot back to its home, makes that durable, and only then says so in the journal and
    /// commits it; ends with [`Op::Resolved`]. So a block of which an attempt that failed wrote a copy, which
    /// may be lost, is copied again by the next. Guests may go on; their writes make no new references meanwhile.
    ///
    /// # Errors
    /// If the disk is not attached.
    pub fn resolve_all(&mut self, disk: u16) -> Result<Vec<Action>, Error> {
        let d = self.disks.get_mut(&disk).ok_or(Error::NoDisk(disk))?;
        if d.resolve.is_none() {
            d.resolve = Some(ResolveRun::default());
            self.resolve_next(disk);
        }
        Ok(self.finish_call())
    }

    fn resolve_next(&mut self, disk: u16) {
        let Some(run) = self.disks.get(&disk).and_then(|d| d.resolve.as_ref()) else {
            return;
        };
        let left: Vec<u64> = if run.durable {
            run.copied.range(run.next..).take(STEP).copied().collect()
        } else {
            self.refs.range(disk, run.next, 1 << 40).take(STEP).map(|(lba, _)| lba).collect()
        };
        let near = |first: u64| left.iter().take_while(move |&&lba| lba - first <= 8 * STEP as u64).last();
        match left.first().and_then(|&first| Some((first, near(first)? + 1))) {
            Some((first, end)) => self.add_resolve_job(disk, first, end),
            None => self.flush_for(disk, Waiter::Resolve),
        }
    }

    pub(crate) fn start_resolve(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let disk = job.disk;
        let Some(run) = self.disks.get_mut(&disk).and_then(|d| d.resolve.as_mut()) else {
            return;
        };
        let mut writes = Writes::default();
        let mut records = Vec::new();
        for (lba, slot) in self.refs.range(disk, job.first(), job.end()) {
            if self.broken.contains(&(disk, lba)) {
                continue;
            }
            if !run.durable {
                writes.push(Extent::block(disk, lba), Source::Host(Extent::slot(slot)), self.config.max_run);
                run.copied.insert(lba);
            } else if run.copied.contains(&lba) {
                records.push(Record::Set { disk, lba, slot: None });
            }
        }
        if !records.is_empty() && self.waits_for_journal(id) {
            return;
        }
        self.totals.resolved += records.len() as u64;
        self.run_io(id, writes, Vec::new(), false, records, Vec::new());
    }

    pub(crate) fn resolve_step_done(&mut self, disk: u16, first: u64, end: u64, ok: bool) {
        let Some(d) = self.disks.get_mut(&disk) else {
            return;
        };
        if !ok {
            d.forget_copies(first, end);
        }
        let Some(run) = &mut d.resolve else { return };
        run.next = end;
        run.failed |= !ok;
        self.resolve_next(disk);
    }

    pub(crate) fn resolve_flushed(&mut self, disk: u16, ok: bool) {
        let remain = self.refs.refers(disk);
        let Some(d) = self.disks.get_mut(&disk) else {
            return;
        };
        match &mut d.resolve {
            Some(run) if ok && !run.durable && !run.copied.is_empty() => {
                (run.durable, run.next) = (true, 0);
                self.resolve_next(disk);
            }
            resolve => {
                let Some(run) = resolve.take() else { return };
                let ok = ok && !run.failed && !remain;
                self.emit(Op::Resolved { disk, ok }, Pending::Nothing);
            }
        }
    }
}
