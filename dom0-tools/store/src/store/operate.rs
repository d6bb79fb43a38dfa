//! Operations with tokens: queue, submit, poll, take completions.

use super::Store;
use crate::format::Geometry;
use crate::io::{Backend, Completion, IoOp, Request};
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::atomic::Ordering;
use tesseract::{Durable, Medium, Record};

impl Store {
    /// Readable while completions may wait: for poll.
    #[must_use]
    pub fn event(&self) -> BorrowedFd<'_> {
        self.mailbox.fd()
    }

    /// Which back end was found: io_uring or threads.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.engine.backend()
    }

    /// Sizes.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Queues a read, write or zeroing at byte `offset` of a medium. What is queued together may
    /// be done in any order and is joined where it is adjacent. Whole blocks in aligned buffers go
    /// the fast way; anything else is widened, so nobody else may change those blocks meanwhile.
    pub fn queue(&mut self, token: u64, medium: Medium, offset: u64, op: IoOp) {
        let place = match medium {
            Medium::Store => {
                Some((self.volume.clone(), self.geometry.slots_at, self.geometry.slots * tesseract::BLOCK))
            }
            Medium::Disk(disk) => self.images.get(&disk).map(|v| (v.clone(), 0, v.bytes())),
        };
        let Some((volume, start, bytes)) = place else {
            return self.refuse(token, op, io::ErrorKind::NotFound);
        };
        if op.len() == 0 || offset.checked_add(op.len()).is_none_or(|end| end > bytes) {
            return self.refuse(token, op, io::ErrorKind::InvalidInput);
        }
        self.engine.queue(Request { token, volume, offset: start + offset, op });
    }

    /// Queues a sync.
    pub fn sync(&mut self, token: u64, what: Durable) {
        let volume = match what {
            // One file: its journal and its slots become durable together.
            Durable::Store | Durable::Journal => Some(self.volume.clone()),
            Durable::Disk(disk) => self.images.get(&disk).cloned(),
        };
        match volume {
            Some(volume) => {
                if !matches!(what, Durable::Disk(_)) {
                    self.syncs.insert(token);
                }
                self.engine.queue(Request { token, volume, offset: 0, op: IoOp::Sync });
            }
            None => self.refuse(token, IoOp::Sync, io::ErrorKind::NotFound),
        }
    }

    /// Appends records to the journal, in the order of calls. Started at once.
    pub fn journal(&mut self, token: u64, records: Vec<Record>) {
        self.journal.append(token, records);
    }

    /// Starts what was queued.
    pub fn submit(&mut self) {
        self.engine.submit();
    }

    /// Appends what has ended to `into`. Does not wait.
    pub fn completions(&mut self, into: &mut Vec<Completion>) {
        let old = into.len();
        self.engine.completions(into);
        for done in into.iter_mut().skip(old).filter(|done| self.syncs.remove(&done.token)) {
            // The journal's thread syncs the same file, and may have been told what this sync should have been told.
            if self.lost.swap(false, Ordering::AcqRel) && done.result.is_ok() {
                done.result = Err(io::Error::other("a sync of the store has failed before"));
            }
            if done.result.is_err() {
                self.journal.distrust();
            }
        }
    }

    fn refuse(&self, token: u64, op: IoOp, why: io::ErrorKind) {
        self.mailbox.post([Completion { token, result: Err(why.into()), buffer: op.into_buffer() }]);
    }
}
