//! The io_uring back end: direct, vectored transfers and syncs.
//!
//! Invariant: what the kernel was told of (buffers, vectors, descriptors) stays in `flying` until
//! its completion was reaped. What ends short or with an error goes to the workers, part by part, unless it is a sync.

use super::group::Group;
use super::workers::Workers;
use super::{IoOp, Mailbox, Request};
use io_uring::{IoUring, opcode, types};
use slab::Slab;
use std::collections::VecDeque;
use std::os::fd::{AsRawFd, RawFd};

/// Operations under way at most.
const DEPTH: u32 = 256;

/// The ring and what it works on.
pub(super) struct Ring {
    ring: IoUring,
    flying: Slab<Flying>,
    waiting: VecDeque<(Group, Option<usize>)>,
}

struct Flying {
    group: Group,
    /// The kernel reads it while the operation is under way: it must not move.
    vectors: Box<[libc::iovec]>,
}

// SAFETY: the pointers in `vectors` lead to the buffers of the same entry's group, which are Send.
unsafe impl Send for Ring {}

impl Ring {
    /// A ring that signals `mailbox`'s descriptor; an error says that the kernel has or grants none.
    pub(super) fn new(mailbox: &Mailbox) -> std::io::Result<Self> {
        let ring = IoUring::builder().setup_clamp().build(DEPTH)?;
        let mut probe = io_uring::Probe::new();
        ring.submitter().register_probe(&mut probe)?;
        let needed = [opcode::Readv::CODE, opcode::Writev::CODE, opcode::Fsync::CODE];
        if !needed.iter().all(|&code| probe.is_supported(code)) {
            return Err(std::io::ErrorKind::Unsupported.into());
        }
        ring.submitter().register_eventfd(mailbox.fd().as_raw_fd())?;
        Ok(Self { ring, flying: Slab::new(), waiting: VecDeque::new() })
    }

    /// Takes a group. `limit`: the first transfer ends there (for tests).
    pub(super) fn add(&mut self, group: Group, limit: Option<usize>) {
        self.waiting.push_back((group, limit));
    }

    /// Tells the kernel of as much as it can take.
    pub(super) fn submit(&mut self, workers: &Workers, mailbox: &Mailbox) {
        while self.flying.len() < DEPTH as usize {
            let Some((group, limit)) = self.waiting.pop_front() else {
                break;
            };
            self.start(group, limit, workers);
        }
        // There is nothing to tell most of the times. The completion queue has room for all that fly, so nothing waits
        // for the kernel to look at it either.
        if !self.ring.submission().is_empty() && self.ring.submit().is_err() {
            // Interrupted or busy: entries stay in the ring, and the next call tells the kernel.
            mailbox.post([]);
        }
    }

    /// Appends ended requests' completions; what did not end well goes to the workers.
    pub(super) fn reap(&mut self, workers: &Workers, mailbox: &Mailbox, into: &mut Vec<super::Completion>) {
        let ended: Vec<(usize, i32)> = self
            .ring
            .completion()
            .map(|c| (usize::try_from(c.user_data()).unwrap_or(usize::MAX), c.result()))
            .collect();
        for (key, result) in ended {
            let Some(Flying { group, .. }) = self.flying.try_remove(key) else {
                continue;
            };
            if u64::try_from(result).is_ok_and(|n| n == group.bytes) {
                into.extend(group.parts.into_iter().map(|r| r.done(Ok(()))));
            } else {
                for request in group.parts {
                    if may_repeat(&request.op, result) {
                        workers.give(Group::of(request), None);
                    } else {
                        into.push(request.done(Err(std::io::Error::from_raw_os_error(-result))));
                    }
                }
            }
        }
        self.submit(workers, mailbox);
    }

    fn start(&mut self, group: Group, limit: Option<usize>, workers: &Workers) {
        let vectors = vectors(&group, limit);
        let key = self.flying.insert(Flying { group, vectors });
        let Some(Flying { group, vectors }) = self.flying.get(key) else {
            return;
        };
        let Some(first) = group.parts.first() else {
            return;
        };
        let entry = entry(first, first.volume.fd().as_raw_fd(), vectors).user_data(key as u64);
        // SAFETY: the entry's descriptor, vectors and buffers stay in `flying` until its completion is reaped.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        if pushed.is_err() {
            let _ = self.ring.submit();
            // SAFETY: as above.
            let pushed = unsafe { self.ring.submission().push(&entry) };
            if pushed.is_err()
                && let Some(flying) = self.flying.try_remove(key)
            {
                workers.give(flying.group, None);
            }
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.waiting.clear();
        while !self.flying.is_empty() {
            if let Err(e) = self.ring.submit_and_wait(1)
                && e.kind() != std::io::ErrorKind::Interrupted
            {
                // The kernel may still write to the buffers: they must never be freed.
                std::mem::forget(std::mem::take(&mut self.flying));
                return;
            }
            let ended: Vec<u64> = self.ring.completion().map(|c| c.user_data()).collect();
            for key in ended {
                self.flying.try_remove(usize::try_from(key).unwrap_or(usize::MAX));
            }
        }
    }
}

/// True if an operation that ended with `result`, short or with an error, may be tried again. A sync
/// may not: the kernel tells of bytes that it could not write back once, and the next sync goes well without them.
fn may_repeat(op: &IoOp, result: i32) -> bool {
    !matches!(op, IoOp::Sync) || [-libc::EINTR, -libc::EAGAIN].contains(&result)
}

fn vectors(group: &Group, limit: Option<usize>) -> Box<[libc::iovec]> {
    let mut left = limit.unwrap_or(usize::MAX);
    let mut list = Vec::with_capacity(group.parts.len());
    for part in &group.parts {
        if let IoOp::Read(b) | IoOp::Write(b) = &part.op {
            let len = b.len().min(left);
            left -= len;
            list.push(libc::iovec { iov_base: b.base().cast(), iov_len: len });
        }
    }
    list.into_boxed_slice()
}

fn entry(first: &Request, fd: RawFd, vectors: &[libc::iovec]) -> io_uring::squeue::Entry {
    let fd = types::Fd(fd);
    let count = u32::try_from(vectors.len()).unwrap_or(0);
    match first.op {
        IoOp::Read(_) => opcode::Readv::new(fd, vectors.as_ptr(), count).offset(first.offset).build(),
        IoOp::Write(_) => opcode::Writev::new(fd, vectors.as_ptr(), count).offset(first.offset).build(),
        IoOp::Zero { .. } | IoOp::Sync => opcode::Fsync::new(fd).flags(types::FsyncFlags::DATASYNC).build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Buffer;

    #[test]
    fn a_sync_that_failed_is_not_done_again() {
        assert!(!may_repeat(&IoOp::Sync, -libc::EIO));
        assert!(!may_repeat(&IoOp::Sync, -libc::ENOSPC));
        assert!(may_repeat(&IoOp::Sync, -libc::EINTR));
        assert!(may_repeat(&IoOp::Sync, -libc::EAGAIN));
        let write = Buffer::allocate(4096).map(IoOp::Write);
        assert!(write.is_some_and(|write| may_repeat(&write, -libc::EIO) && may_repeat(&write, 512)));
    }
}
