//! Ends of children. As process 1 we inherit every orphan of dom0 and must reap them all.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, WaitOptions, WaitStatus, wait},
};
use signal_hook::{consts::SIGCHLD, low_level::pipe};
use std::{
    cell::RefCell,
    collections::HashMap,
    io::Read,
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// Collects exit statuses. A byte arrives on `signal` for each batch of ended children.
pub struct Reaper {
    signal: UnixStream,
    ended: RefCell<HashMap<i32, i32>>,
}

impl Reaper {
    /// Starts to listen for ended children.
    pub fn new() -> Self {
        let (signal, writer) = UnixStream::pair().unwrap_or_else(|error| {
            crate::say(&format!("no socket pair: {error}"));
            crate::power::off()
        });
        for end in [&signal, &writer] {
            if let Err(error) = end.set_nonblocking(true) {
                crate::say(&format!("SIGCHLD: {error}"));
            }
        }
        if let Err(error) = pipe::register(SIGCHLD, writer) {
            crate::say(&format!("SIGCHLD: {error}"));
        }
        Self { signal, ended: RefCell::default() }
    }

    /// What becomes readable when children ended.
    pub fn signal(&self) -> &UnixStream {
        &self.signal
    }

    /// The exit status of `child` if it has ended, as a shell reports it.
    pub fn status(&self, child: u32) -> Option<i32> {
        let mut bytes = [0; 64];
        while matches!((&self.signal).read(&mut bytes), Ok(1..)) {}
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            self.ended.borrow_mut().insert(Pid::as_raw(Some(pid)), shell_status(status));
        }
        self.ended.borrow_mut().remove(&i32::try_from(child).ok()?)
    }

    /// Waits for `child`; `None` after `patience`.
    pub fn wait(&self, child: u32, patience: Option<Duration>) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.status(child) {
                return Some(status);
            }
            let left = match patience {
                Some(patience) => Some(patience.checked_sub(start.elapsed())?),
                None => None,
            };
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let mut waiting = [PollFd::new(&self.signal, PollFlags::IN)];
            // An interrupted poll only looks again.
            let _ = poll(&mut waiting, timeout.as_ref());
        }
    }
}

fn shell_status(status: WaitStatus) -> i32 {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 255,
    }
}
