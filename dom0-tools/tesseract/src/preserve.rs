//! R4: nobody may depend on a disk block's old content when it changes.
//!
//! A writer that has been granted its range first forgets the names of clean pages in it, copies
//! each block on which swapped pages or queued writes depend to a slot, and moves those references there
//! (`MOVE_REFERENCE`). It changes the range only when nothing depends on it, nothing reads it,
//! and no event that names it can still be under way (see [`Map::settle`]). While it waits the
//! content is unchanged, so pages may be read in from it. It also waits for room in the store
//! (see [`crate::crowded`]).

use crate::action::{Op, Outcome};
use crate::backoff::Backoff;
use crate::job::{Kind, Phase, Preserved};
use crate::map::slot_ref;
use crate::queue::JobId;
use crate::room::Room;
use crate::state::Pending;
use crate::{BLOCK_LEN, Extent, Map, PageId, Piece, Source};
use abi::BlockRef;

/// Slots of preserved blocks come from a stream of their own.
const STREAM: u32 = 0;

impl Map {
    /// The job has its range.
    pub(crate) fn start(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let range = (job.disk, job.first())..(job.disk, job.end());
        if job.failed || self.broken.range(range).next().is_some() && !matches!(job.kind, Kind::Resolve) {
            self.finish_job(id, false);
            return;
        }
        match job.kind {
            Kind::Read(_) => self.start_read(id),
            // The content stays the same, and nothing depends on the home of a block in a slot.
            Kind::Resolve => self.start_resolve(id),
            Kind::Write(_) | Kind::Zero { .. } => {
                job.phase = Phase::Preserve;
                self.preserving.insert(id);
                self.advance(id);
            }
        }
    }

    /// Does what can be done for a preserving job; when nothing is left, its I/O starts.
    pub(crate) fn advance(&mut self, id: JobId) {
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.crowded.end(now);
        let (failed, (range, len)) = (job.failed, job.range());
        if failed {
            if job.outstanding == 0 {
                self.finish_job(id, false);
            }
            return;
        }
        for (_, page) in self.clean.within(range, len).collect::<Vec<_>>() {
            self.clean.remove(page);
        }
        let mut wait = self.move_pages(id, range, len);
        wait |= self.move_pins(id, range, len);
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        wait |= job.failed
            || job.outstanding > 0
            || self.recovering
            || self.left.within(range, len).next().is_some()
            || self.busy.range(range..BlockRef(range.0 + len)).next().is_some();
        if !wait {
            self.preserving.remove(&id);
            self.release_preserved(id);
            self.modify(id);
        }
    }

    /// True if pages still depend on the range.
    fn move_pages(&mut self, id: JobId, range: BlockRef, len: u64) -> bool {
        let dependents: Vec<(BlockRef, PageId)> = self.swapped.within(range, len).collect();
        for &(old, page) in &dependents {
            let Some(new) = self.preserved(id, old.block()) else {
                continue;
            };
            if !self.in_transit(page) {
                let new = slot_ref(new);
                self.moving.insert(page, false);
                self.hold(new);
                self.emit(Op::MoveReference { page, old, new }, Pending::Move { page, old, new });
            }
        }
        !dependents.is_empty()
    }

    /// True if queued writes still depend on the range. A job's own write of a block's content to
    /// that very block changes nothing and depends on nothing.
    fn move_pins(&mut self, id: JobId, range: BlockRef, len: u64) -> bool {
        let mut wait = false;
        for (old, pin) in self.pins.within(range, len).collect::<Vec<_>>() {
            if pin.0 == id && self.pin_target(pin) == Some(old) {
                continue;
            }
            match self.preserved(id, old.block()) {
                Some(slot) => {
                    self.slots.hold(slot);
                    self.pins.insert(pin, slot_ref(slot));
                }
                None => wait = true,
            }
        }
        wait
    }

    /// The slot that holds the block's old content; starts to copy it if none does yet.
    fn preserved(&mut self, id: JobId, lba: u64) -> Option<u64> {
        let job = self.jobs.get(&id)?;
        let disk = job.disk;
        match job.preserved.get(&lba) {
            Some(Preserved::Ready(slot)) => return Some(*slot),
            Some(Preserved::Copying(_)) => return None,
            None if job.failed || job.crowded.waits(self.now) => return None,
            None => {}
        }
        match self.room(STREAM, true) {
            Room::Soon => {}
            Room::Full => self.crowd(id),
            Room::Slot(slot) => {
                let pieces = vec![Piece { len: BLOCK_LEN, source: Source::Host(Extent::block(disk, lba)) }];
                self.emit(Op::Write { to: Extent::slot(slot), pieces }, Pending::Preserve { job: id, lba });
                if let Some(job) = self.jobs.get_mut(&id) {
                    job.preserved.insert(lba, Preserved::Copying(slot));
                    job.outstanding += 1;
                }
            }
        }
        None
    }

    pub(crate) fn block_preserved(&mut self, id: JobId, lba: u64, outcome: Outcome) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.outstanding -= 1;
        let Some(entry) = job.preserved.get_mut(&lba) else {
            return;
        };
        match outcome {
            Outcome::Done => {
                *entry = Preserved::Ready(entry.slot());
                job.crowded = Backoff::default();
                let domain = job.request.map_or(0, |r| r.domain);
                self.of(domain).preserved += 1;
            }
            Outcome::NoRoom => {
                let slot = entry.slot();
                job.preserved.remove(&lba);
                self.slots.let_go(slot);
                self.crowd(id);
            }
            Outcome::Declined | Outcome::Failed => job.failed = true,
        }
    }

    pub(crate) fn page_moved(&mut self, page: PageId, old: BlockRef, new: BlockRef, outcome: Outcome) {
        let again = self.moving.remove(&page).unwrap_or(false);
        if self.swapped.get(page) == Some(old) {
            if outcome == Outcome::Done {
                self.swapped.insert(page, new);
                self.hold(new);
                self.left.insert(page, old);
            } else if !again {
                self.unsure.insert(page);
            }
        }
        self.let_go(new);
        if again {
            self.load(page, true, 0);
        }
    }

    fn release_preserved(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        for kept in std::mem::take(&mut job.preserved).into_values() {
            self.slots.let_go(kept.slot());
        }
    }
}
