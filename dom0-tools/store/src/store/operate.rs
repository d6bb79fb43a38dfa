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

    /// The store is read and written past the page cache.
    #[must_use]
    pub fn direct(&self) -> bool {
        self.volume.direct()
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
        match what {
            // One file: its journal and its slots become durable together.
            Durable::Store | Durable::Journal => {
                self.syncs.ask(token);
                self.start_sync();
            }
            Durable::Disk(disk) => match self.images.get(&disk).cloned() {
                Some(volume) => self.engine.queue(Request { token, volume, offset: 0, op: IoOp::Sync }),
                None => self.refuse(token, IoOp::Sync, io::ErrorKind::NotFound),
            },
        }
    }

    /// Queues the store's next sync, if there is one and none is under way.
    fn start_sync(&mut self) -> bool {
        let token = self.syncs.start();
        if let Some(token) = token {
            self.engine.queue(Request { token, volume: self.volume.clone(), offset: 0, op: IoOp::Sync });
        }
        token.is_some()
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
        let Some(done) = into.iter_mut().skip(old).find(|done| self.syncs.is_running(done.token)) else {
            return;
        };
        // The journal's thread syncs the same file, and may have been told what this sync should have been told.
        if self.lost.swap(false, Ordering::AcqRel) && done.result.is_ok() {
            done.result = Err(io::Error::other("a sync of the store has failed before"));
        }
        let failed = done.result.as_ref().err().map(io::Error::kind);
        if failed.is_some() {
            self.journal.distrust();
        }
        into.extend(self.syncs.end().into_iter().map(|token| Completion {
            token,
            result: failed.map_or(Ok(()), |kind| Err(kind.into())),
            buffer: None,
        }));
        if self.start_sync() {
            self.engine.submit();
        }
    }

    fn refuse(&self, token: u64, op: IoOp, why: io::ErrorKind) {
        self.mailbox.post([Completion { token, result: Err(why.into()), buffer: op.into_buffer() }]);
    }
}
