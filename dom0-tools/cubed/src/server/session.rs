//! One client's connection.

use super::outgoing::Outgoing;
use crate::channel::Hypervisor;
use crate::daemon::{Client, Daemon, Reply};
use mio::net::UnixStream;
use protocol::{Call, ErrorCode, Failure, Response, wire};
use std::io::{ErrorKind, Read};
use std::time::Instant;

/// What the connection is.
#[derive(Debug, PartialEq, Eq)]
enum Mode {
    /// Calls and responses.
    Calls,
    /// A call whose answer comes later.
    Waiting,
    /// A console.
    Console { name: String, next: u64, history_only: bool },
    /// The hypervisor's log.
    Follow { cursor: u64 },
    /// Nothing more is read; closed when everything is written.
    Closing,
}

/// A connection.
#[derive(Debug)]
pub struct Session {
    client: Client,
    stream: UnixStream,
    incoming: Vec<u8>,
    outgoing: Outgoing,
    mode: Mode,
    /// The client sends no more.
    ended: bool,
    gone: bool,
}

/// True: the daemon is to end.
pub type Shutdown = bool;

impl Session {
    /// A fresh connection.
    #[must_use]
    pub fn new(client: Client, stream: UnixStream) -> Self {
        let (incoming, outgoing) = (Vec::new(), Outgoing::default());
        Self { client, stream, incoming, outgoing, mode: Mode::Calls, ended: false, gone: false }
    }

    /// For the poll.
    pub fn source(&mut self) -> &mut UnixStream {
        &mut self.stream
    }

    /// True if the connection is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.gone
            || self.outgoing.is_empty()
                && (self.mode == Mode::Closing || self.ended && self.incoming.is_empty() && self.mode == Mode::Calls)
    }

    /// True if it is to be looked at from time to time, because what it follows raises no event.
    #[must_use]
    pub fn follows(&self) -> bool {
        matches!(self.mode, Mode::Follow { .. })
    }

    /// Reads what there is and takes calls.
    pub fn readable<H: Hypervisor>(&mut self, daemon: &mut Daemon<H>, now: Instant) -> Shutdown {
        let mut chunk = [0; 16 << 10];
        while !self.ended && !self.gone {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.ended = true,
                Ok(len) => self.incoming.extend(chunk.get(..len).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.gone = true,
            }
            if self.incoming.len() > wire::MAX_LINE {
                let hint = "give a shorter domain file";
                self.respond(&Failure::new(ErrorCode::Usage, "the line is too long", hint).into());
                self.mode = Mode::Closing;
                self.incoming.clear();
            }
        }
        self.take(daemon, now)
    }

    /// The client has closed the connection: nobody reads answers or output any more.
    pub fn leave(&mut self) {
        self.gone = true;
    }

    /// An answer that the client waited for.
    pub fn answer<H: Hypervisor>(&mut self, response: &Response, daemon: &mut Daemon<H>, now: Instant) -> Shutdown {
        self.respond(response);
        self.mode = Mode::Calls;
        self.take(daemon, now)
    }

    /// Moves the console's or the log's news to the client, and writes what goes.
    pub fn pump<H: Hypervisor>(&mut self, daemon: &mut Daemon<H>) {
        loop {
            match &mut self.mode {
                Mode::Console { name, next, history_only } => {
                    let (bytes, after) = daemon.console_output(name, *next, self.outgoing.room()).unwrap_or_default();
                    *next = after.max(*next);
                    let over =
                        bytes.is_empty() && self.outgoing.is_empty() && (*history_only || !daemon.console_live(name));
                    self.outgoing.push(&bytes);
                    if over {
                        self.mode = Mode::Closing;
                    }
                }
                Mode::Follow { cursor } if self.outgoing.is_empty() => match daemon.read_log(*cursor) {
                    Ok((payload, next)) if next != *cursor => {
                        *cursor = next;
                        self.respond(&payload.into());
                    }
                    Ok(_) => {}
                    Err(failure) => {
                        self.respond(&failure.into());
                        self.mode = Mode::Closing;
                    }
                },
                _ => {}
            }
            if self.ended && matches!(self.mode, Mode::Follow { .. }) {
                self.gone = true;
            }
            match self.outgoing.flush(&mut self.stream) {
                Ok(true) if self.outgoing.is_empty() => {}
                Ok(_) => return,
                Err(_) => {
                    self.gone = true;
                    return;
                }
            }
        }
    }

    fn take<H: Hypervisor>(&mut self, daemon: &mut Daemon<H>, now: Instant) -> Shutdown {
        loop {
            match &self.mode {
                Mode::Console { name, .. } => {
                    let bytes = std::mem::take(&mut self.incoming);
                    daemon.type_in(name, &bytes);
                    return false;
                }
                Mode::Calls => {}
                Mode::Waiting => return false,
                Mode::Follow { .. } | Mode::Closing => {
                    self.incoming.clear();
                    return false;
                }
            }
            let Some(end) = self.incoming.iter().position(|byte| *byte == b'\n') else {
                if self.ended {
                    self.incoming.clear();
                }
                return false;
            };
            let line: Vec<u8> = self.incoming.drain(..=end).collect();
            if self.call(&line, daemon, now) {
                return true;
            }
        }
    }

    fn call<H: Hypervisor>(&mut self, line: &[u8], daemon: &mut Daemon<H>, now: Instant) -> Shutdown {
        let reply = match wire::decode::<Call>(line) {
            Ok(call) => daemon.request(self.client, call, now),
            Err(error) => {
                let hint = "install cube and cubed of one build";
                Reply::Now(Failure::new(ErrorCode::Usage, error.to_string(), hint).into())
            }
        };
        match reply {
            Reply::Now(response) => self.respond(&response),
            Reply::Later => self.mode = Mode::Waiting,
            Reply::Console { response, name, from, history_only } => {
                self.respond(&response);
                self.mode = Mode::Console { name, next: from, history_only };
            }
            Reply::Follow { response, cursor } => {
                self.respond(&response);
                self.mode = Mode::Follow { cursor };
            }
            Reply::Shutdown(response) => {
                self.respond(&response);
                self.mode = Mode::Closing;
                let _ = self.outgoing.flush(&mut self.stream);
                return true;
            }
        }
        false
    }

    fn respond(&mut self, response: &Response) {
        match wire::encode(response) {
            Ok(line) => self.outgoing.push(&line),
            Err(error) => {
                tracing::error!(%error, "a response could not be written");
                self.gone = true;
            }
        }
    }
}
