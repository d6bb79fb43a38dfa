//! Accesses through the store: io_uring where the kernel has it.

use super::{Finished, Io, Job};
use crate::channel::{Buffer, Hypervisor};
use std::collections::HashMap;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::ptr::NonNull;
use std::time::{Duration, Instant};
use store::{IoOp, Store};
use tesseract::{Extent, RefTable};

/// How long after its start a daemon waits for images that guests run on: longer than the kernel
/// gives a transfer to a disk that does not answer (30 s, some times over).
const PATIENCE: Duration = Duration::from_secs(300);

/// The store and what is under way in it. Invariant: a lent buffer is in `lent` until its access
/// is over, so nobody else touches it.
pub struct Stored {
    // Ends first, and waits for what is under way: then the buffers may go.
    store: Store,
    lent: HashMap<u64, Buffer>,
    /// A replica of the references, from the same records.
    refs: RefTable,
    queued: bool,
    began: Instant,
}

impl Stored {
    /// Over an opened store, with the references that were found in it.
    #[must_use]
    pub fn new(store: Store, refs: RefTable) -> Self {
        Self { store, lent: HashMap::new(), refs, queued: false, began: Instant::now() }
    }

    /// Readable when accesses have ended.
    #[must_use]
    pub fn event(&self) -> RawFd {
        self.store.event().as_raw_fd()
    }

    fn lend(
        &mut self,
        token: u64,
        mut buffer: Buffer,
        len: usize,
        hypervisor: &mut dyn Hypervisor,
    ) -> Option<store::Buffer> {
        let bytes = hypervisor.bytes_mut(&mut buffer).get_mut(..len)?;
        let base = NonNull::from(bytes).cast();
        self.lent.insert(token, buffer);
        // SAFETY: the bytes are the buffer's alone; it stays in `lent` until the access is over
        // or the store, which waits for accesses, has been dropped; the mapping outlives both.
        Some(unsafe { store::Buffer::lend(base, len) })
    }
}

impl Io for Stored {
    fn reserve(&mut self, unit: u16) {
        self.store.reserve(unit);
    }

    fn open(&mut self, path: &Path, readonly: bool, unit: Option<u16>) -> Result<(u16, u64), String> {
        let attached = loop {
            match self.store.attach_as(path, !readonly, &self.refs, unit) {
                // A guest runs on it, and without it would get I/O errors until the next daemon.
                Err(error @ (store::Error::InUse(_) | store::Error::Claimed(_)))
                    if unit.is_some() && self.began.elapsed() < PATIENCE =>
                {
                    tracing::warn!(%error, "a running guest's disk: waiting for it; a killed cubed's transfers may be under way");
                }
                attached => break attached.map_err(|error| error.to_string())?,
            }
        };
        if !attached.stamped {
            tracing::debug!(path = %path.display(), "an image without a stamp: do not exchange it while it is in use");
        }
        Ok((attached.disk, attached.bytes))
    }

    fn close(&mut self, unit: u16, resolved: bool) {
        if let Err(error) = self.store.detach(unit, resolved) {
            tracing::error!(unit, %error, "a disk was not closed properly");
        }
    }

    fn begin(&mut self, token: u64, job: Job, hypervisor: &mut dyn Hypervisor) {
        self.queued = true;
        let (extent, op) = match job {
            Job::Read { from, buffer } => {
                (from, self.lend(token, buffer, from.len as usize, hypervisor).map(IoOp::Read))
            }
            Job::Write { to, buffer } => (to, self.lend(token, buffer, to.len as usize, hypervisor).map(IoOp::Write)),
            Job::Zero { to, unmap } => (to, Some(IoOp::Zero { len: u64::from(to.len), unmap })),
            Job::Sync(what) => return self.store.sync(token, what),
            Job::Journal(records) => {
                let mut released = Vec::new();
                records.iter().for_each(|record| self.refs.apply(record, &mut released));
                return self.store.journal(token, records);
            }
        };
        let Extent { medium, offset, .. } = extent;
        match op {
            Some(op) => self.store.queue(token, medium, offset, op),
            // Shorter than its extent: our own mistake, told as a failed access.
            None => self.store.queue(token, medium, u64::MAX, IoOp::Zero { len: 1, unmap: false }),
        }
    }

    fn flush(&mut self) {
        if std::mem::take(&mut self.queued) {
            self.store.submit();
        }
    }

    fn finished(&mut self, _hypervisor: &mut dyn Hypervisor) -> Vec<Finished> {
        let mut over = Vec::new();
        self.store.completions(&mut over);
        let finished = over.into_iter().map(|store::Completion { token, result, buffer }| {
            // The lent view goes before the buffer comes back.
            drop(buffer);
            Finished { token, buffer: self.lent.remove(&token), result }
        });
        finished.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rustix::fs::{FlockOperation, flock};

    #[test]
    fn a_running_guest_s_image_is_waited_for_while_it_is_in_use() {
        let dir = tempfile::tempdir().unwrap();
        let (path, disk) = (dir.path().join("store"), dir.path().join("disk"));
        Store::format(&path, Some(16 << 20)).unwrap();
        let file = std::fs::File::create(&disk).unwrap();
        file.set_len(8 << 10).unwrap();
        flock(&file, FlockOperation::LockExclusive).unwrap();
        let options = store::Options { patience: Duration::from_millis(20), ..Default::default() };
        let (store, found) = Store::open(&path, &options).unwrap();
        let mut stored = Stored::new(store, found.refs);
        assert!(stored.open(&disk, false, None).is_err(), "a new guest's is not");
        let holder = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            drop(file);
        });
        assert_eq!(stored.open(&disk, false, Some(4)), Ok((4, 8 << 10)));
        holder.join().unwrap();
    }
}
