//! The engine: batches in, completions out, by io_uring or by threads.

use super::group::{self, Group};
use super::ring::Ring;
use super::workers::Workers;
use super::{Attempt, Completion, Fault, FaultHook, IoOp, Mailbox, Request};
use std::sync::Arc;

/// Who does the I/O.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Backend {
    /// io_uring where the kernel has and grants it, else threads.
    #[default]
    Auto,
    /// io_uring or an error.
    Uring,
    /// Threads with pread and pwrite.
    Threads,
}

/// All I/O that is under way.
pub(crate) struct Engine {
    // Before `workers`: what the ring gives up goes there.
    ring: Option<Ring>,
    workers: Workers,
    mailbox: Arc<Mailbox>,
    batch: Vec<Request>,
    faults: Option<FaultHook>,
}

impl Engine {
    pub(crate) fn new(backend: Backend, mailbox: Arc<Mailbox>, faults: Option<FaultHook>) -> std::io::Result<Self> {
        let ring = match backend {
            Backend::Threads => None,
            Backend::Uring => Some(Ring::new(&mailbox)?),
            Backend::Auto => Ring::new(&mailbox).ok(),
        };
        let workers = Workers::start(&mailbox)?;
        Ok(Self { ring, workers, mailbox, batch: Vec::new(), faults })
    }

    /// Which back end was found.
    pub(crate) const fn backend(&self) -> Backend {
        if self.ring.is_some() { Backend::Uring } else { Backend::Threads }
    }

    pub(crate) fn queue(&mut self, request: Request) {
        self.batch.push(request);
    }

    /// Starts what was queued.
    pub(crate) fn submit(&mut self) {
        let mut plain = Vec::with_capacity(self.batch.len());
        for request in std::mem::take(&mut self.batch) {
            match self.fault(&request) {
                Some(Fault::Error(code)) => {
                    self.mailbox.post([request.done(Err(std::io::Error::from_raw_os_error(code)))]);
                }
                Some(Fault::Short(n)) => self.start_short(request, n),
                None if request.direct() => plain.push(request),
                None => self.workers.give(Group::of(request), None),
            }
        }
        for group in group::join(plain) {
            match &mut self.ring {
                Some(ring) => ring.add(group, None),
                None => self.workers.give(group, None),
            }
        }
        if let Some(ring) = &mut self.ring {
            ring.submit(&self.workers, &self.mailbox);
        }
    }

    /// Appends what has ended.
    pub(crate) fn completions(&mut self, into: &mut Vec<Completion>) {
        self.mailbox.take(into);
        if let Some(ring) = &mut self.ring {
            ring.reap(&self.workers, &self.mailbox, into);
        }
    }

    fn start_short(&mut self, request: Request, n: usize) {
        let n = n / request.volume.align().max(1) * request.volume.align();
        match &mut self.ring {
            Some(ring) if request.direct() && n > 0 => ring.add(Group::of(request), Some(n)),
            _ => self.workers.give(Group::of(request), Some(Fault::Short(n))),
        }
    }

    fn fault(&self, request: &Request) -> Option<Fault> {
        let attempt = Attempt {
            disk: request.volume.disk,
            write: !matches!(request.op, IoOp::Read(_)),
            journal: false,
            offset: request.offset,
            len: request.op.len(),
        };
        self.faults.as_ref().and_then(|hook| hook(&attempt))
    }
}
