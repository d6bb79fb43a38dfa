//! Where completions wait, with an event descriptor that says so.

use super::Completion;
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// Completions from worker threads. The descriptor is readable while there may be some.
#[derive(Debug)]
pub(crate) struct Mailbox {
    list: Mutex<Vec<Completion>>,
    event: OwnedFd,
}

impl Mailbox {
    pub(crate) fn new() -> std::io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { list: Mutex::new(Vec::new()), event })
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }

    pub(crate) fn post(&self, completions: impl IntoIterator<Item = Completion>) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).extend(completions);
        // It can only fail when the counter is at its end: then the descriptor is readable anyhow.
        let _ = rustix::io::write(&self.event, &1u64.to_ne_bytes());
    }

    /// Makes the descriptor unreadable, then takes what there is.
    pub(crate) fn take(&self, into: &mut Vec<Completion>) {
        let mut count = [0; 8];
        // Nothing to read: nobody has posted since.
        let _ = rustix::io::read(&self.event, &mut count);
        into.append(&mut self.list.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
