//! Runs the harness' commands and sends what they write, and how they end, out of the machine.

use crate::{port::Port, reap::Reaper};
use init::frame::Kind;
use rustix::event::{PollFd, PollFlags, poll};
use std::{
    io::{ErrorKind, Read},
    os::fd::AsFd,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

/// The shell's own status for a command that could not be started.
const CANNOT_RUN: i32 = 126;

/// Runs `commands` to their end.
pub fn run(commands: &str, reaper: &Reaper) {
    let port = match Port::open() {
        Ok(port) => port,
        Err(error) => return crate::say(&format!("debug port: {error}")),
    };
    port.send(Kind::Ready, &[]);
    let status = match start(commands) {
        Ok(child) => forward(child, &port, reaper),
        Err(error) => {
            port.send(Kind::Note, format!("/bin/sh: {error}").as_bytes());
            CANNOT_RUN
        }
    };
    port.send(Kind::Exit, &status.to_le_bytes());
}

fn start(commands: &str) -> std::io::Result<Child> {
    crate::shell::environment(Command::new("/usr/bin/setsid").args(["/bin/sh", "-c", commands]))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Forwards until the commands end. Background processes that still hold the pipes do not keep
/// the run alive: what is in the pipes at that moment is the last that is sent.
fn forward(mut child: Child, port: &Port, reaper: &Reaper) -> i32 {
    let mut stdout = child.stdout.take().and_then(|pipe| Stream::new(Kind::Stdout, pipe));
    let mut stderr = child.stderr.take().and_then(|pipe| Stream::new(Kind::Stderr, pipe));
    loop {
        let status = reaper.status(child.id());
        stdout = stdout.and_then(|stream: Stream<ChildStdout>| stream.drain(port));
        stderr = stderr.and_then(|stream: Stream<ChildStderr>| stream.drain(port));
        if let Some(status) = status {
            return status;
        }
        let mut waiting = vec![PollFd::new(reaper.signal(), PollFlags::IN)];
        waiting.extend(stdout.as_ref().map(|stream| PollFd::new(&stream.pipe, PollFlags::IN)));
        waiting.extend(stderr.as_ref().map(|stream| PollFd::new(&stream.pipe, PollFlags::IN)));
        // An interrupted poll only looks again.
        let _ = poll(&mut waiting, None);
    }
}

struct Stream<P> {
    kind: Kind,
    pipe: P,
}

impl<P: Read + AsFd> Stream<P> {
    fn new(kind: Kind, pipe: P) -> Option<Self> {
        let flags = rustix::fs::fcntl_getfl(&pipe).ok()?;
        rustix::fs::fcntl_setfl(&pipe, flags | rustix::fs::OFlags::NONBLOCK).ok()?;
        Some(Self { kind, pipe })
    }

    /// Sends what is there; `None` once the writers are gone.
    fn drain(mut self, port: &Port) -> Option<Self> {
        let mut buffer = [0; 16 * 1024];
        // A bound, so that one stream that never pauses cannot silence the other.
        for _ in 0..64 {
            match self.pipe.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => port.send(self.kind, buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(self)
    }
}
