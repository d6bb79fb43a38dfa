//! Clients that wait for a domain's end.

use super::{Client, Daemon, Output};
use crate::channel::Hypervisor;
use crate::domains::End;
use protocol::{ErrorCode, Failure, Payload, Response};
use std::time::Instant;

/// What a client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// `wait`: the end.
    End,
    /// `stop`: the end; afterwards the domain is killed if `force`.
    Stop {
        /// Kill when the time is over.
        force: bool,
    },
    /// `kill`: that it is gone.
    Gone,
}

/// A client that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiter {
    pub client: Client,
    pub domain: u32,
    pub what: For,
    pub deadline: Option<Instant>,
}

impl<H: Hypervisor> Daemon<H> {
    /// Answers those who wait for the end of a domain. `gone`: it is torn down, too.
    pub(super) fn notify(&mut self, end: &End, gone: bool) {
        let (id, name) = (end.id(), end.name().to_owned());
        let (reason, detail) = end.why();
        let outputs = &mut self.outputs;
        self.waiters.retain(|waiter| {
            if waiter.domain != id || !gone && waiter.what == For::Gone {
                return true;
            }
            let payload = match waiter.what {
                For::Gone => Payload::Done,
                _ => Payload::Ended { id, name: name.clone(), reason, detail },
            };
            outputs.push(Output { client: waiter.client, response: payload.into() });
            false
        });
    }

    /// Answers those who still wait for a domain that is gone, and of whose end nothing is known.
    pub(super) fn notify_rest(&mut self, id: u32) {
        for waiter in self.waiters.extract_if(.., |waiter| waiter.domain == id) {
            let response = match waiter.what {
                For::Gone => Payload::Done.into(),
                _ => Response::Error(Failure::new(
                    ErrorCode::Failed,
                    "the domain is gone; how it ended is not known",
                    "the hypervisor's log may tell: `cube dmesg`",
                )),
            };
            self.outputs.push(Output { client: waiter.client, response });
        }
    }

    /// Those whose time is over.
    pub(super) fn time_out(&mut self) {
        let now = self.now;
        let (due, rest): (Vec<Waiter>, Vec<Waiter>) =
            self.waiters.iter().partition(|waiter| waiter.deadline.is_some_and(|deadline| deadline <= now));
        self.waiters = rest;
        for waiter in due {
            if waiter.what == (For::Stop { force: true }) {
                tracing::info!(domain = waiter.domain, "it did not power off in time: killed");
                self.waiters.push(Waiter { deadline: None, ..waiter });
                self.kill(waiter.domain);
            } else {
                let hint = match waiter.what {
                    For::Stop { .. } => "wait longer with --timeout, or use --force or `cube kill`",
                    _ => "wait longer with --timeout",
                };
                let failure = Failure::new(ErrorCode::Timeout, "the domain has not ended in time", hint);
                self.outputs.push(Output { client: waiter.client, response: Response::Error(failure) });
            }
        }
    }
}
