//! `cube console`: the terminal becomes the domain's.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use protocol::{ErrorCode, Failure, Payload, Request};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use serde::Serialize;
use std::io::{Read, Write, stdin, stdout};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

/// Ctrl-] detaches.
const ESCAPE: u8 = 0x1d;

#[derive(Serialize)]
struct History<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
    /// Bytes that are no UTF-8 are replaced.
    text: String,
}

/// Attaches, or prints the history only.
pub fn console(
    out: &mut Output,
    mut client: Client,
    name: &str,
    replay: Option<u64>,
    history_only: bool,
) -> Result<()> {
    let payload = client.call(Request::Console { name: name.to_owned(), history: replay, history_only })?;
    let Payload::Console { name, .. } = &payload else { return Err(unexpected(&payload)) };
    let typing = isatty(stdin()) && isatty(stdout());
    if typing && !history_only {
        eprintln!("Attached to {name}. Ctrl-] detaches.");
    }
    let (first, stream) = client.into_raw();
    if history_only && out.is_json() {
        return history(out, name, first, stream).map_err(broken);
    }
    out.raw(&first);
    if history_only {
        return Link { stream, typing: false }.run(out).map_err(broken);
    }
    let raw = Raw::enter();
    let result = Link { stream, typing: true }.run(out).map_err(broken);
    drop(raw);
    if typing {
        eprintln!("\nDetached from {name}.");
    }
    result
}

/// What was printed before, as an object.
fn history(out: &mut Output, name: &str, mut bytes: Vec<u8>, mut stream: UnixStream) -> std::io::Result<()> {
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    out.put(&History { kind: "console", name, text }, String::new);
    Ok(())
}

fn broken(error: std::io::Error) -> Failure {
    Failure::new(ErrorCode::Failed, format!("the console broke off: {error}"), "attach again with `cube console NAME`")
}

/// A terminal in raw mode, until dropped.
struct Raw(Option<Termios>);

impl Raw {
    /// Raw mode if standard input is a terminal; else nothing.
    fn enter() -> Self {
        let Ok(before) = tcgetattr(stdin()) else { return Self(None) };
        let mut raw = before.clone();
        raw.make_raw();
        Self(tcsetattr(stdin(), OptionalActions::Now, &raw).is_ok().then_some(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // The terminal may be gone; then there is nothing to restore.
            let _ = tcsetattr(stdin(), OptionalActions::Now, before);
        }
    }
}

/// Bytes in both directions until the daemon hangs up or the user detaches.
struct Link {
    stream: UnixStream,
    /// Standard input is read; false from its end on.
    typing: bool,
}

impl Link {
    fn run(mut self, out: &mut Output) -> std::io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let (from_domain, from_user) = self.wait()?;
            if from_domain {
                let len = self.stream.read(&mut buffer)?;
                if len == 0 {
                    return Ok(());
                }
                out.raw(buffer.get(..len).unwrap_or_default());
            }
            if from_user {
                // Not through std's buffer: what stayed in it would not wake the poll.
                let len = rustix::io::read(stdin(), &mut buffer)?;
                let typed = buffer.get(..len).unwrap_or_default();
                let escape = typed.iter().position(|&b| b == ESCAPE);
                self.stream.write_all(typed.get(..escape.unwrap_or(len)).unwrap_or_default())?;
                if escape.is_some() {
                    return Ok(());
                }
                if len == 0 {
                    self.typing = false;
                    self.stream.shutdown(Shutdown::Write)?;
                }
            }
        }
    }

    /// Waits until the domain or the user has something.
    fn wait(&self) -> std::io::Result<(bool, bool)> {
        let (stdin, ready) = (stdin(), PollFlags::IN | PollFlags::HUP | PollFlags::ERR);
        let mut polled = [PollFd::new(&self.stream, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
        let count = if self.typing { 2 } else { 1 };
        match poll(polled.get_mut(..count).unwrap_or_default(), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let [domain, user] = polled.map(|fd| fd.revents().intersects(ready));
        Ok((domain, user && self.typing))
    }
}
