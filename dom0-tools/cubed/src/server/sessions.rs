//! All connections.

use super::session::{Session, Shutdown};
use crate::channel::Hypervisor;
use crate::daemon::{Client, Daemon};
use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use std::collections::BTreeMap;
use std::time::Instant;

/// Connections at once.
const MOST: usize = 256;

/// Connections by client.
#[derive(Debug)]
pub struct Sessions {
    sessions: BTreeMap<Client, Session>,
    next: usize,
}

impl Sessions {
    /// None; tokens from `first` on are theirs.
    #[must_use]
    pub fn new(first: usize) -> Self {
        Self { sessions: BTreeMap::new(), next: first }
    }

    /// A client has connected.
    pub fn add(&mut self, stream: UnixStream, registry: &Registry) {
        if self.sessions.len() >= MOST {
            tracing::warn!(connections = MOST, "too many clients: one was turned away");
            return;
        }
        let client = Client(self.next as u64);
        let mut session = Session::new(client, stream);
        let both = Interest::READABLE | Interest::WRITABLE;
        match registry.register(session.source(), Token(self.next), both) {
            Ok(()) => {
                self.next += 1;
                self.sessions.insert(client, session);
            }
            Err(error) => tracing::warn!(%error, "a client could not be served"),
        }
    }

    /// The client of this token can be read from or written to, or has `left`.
    pub fn ready<H: Hypervisor>(&mut self, token: Token, left: bool, daemon: &mut Daemon<H>, now: Instant) -> Shutdown {
        let Some(session) = self.sessions.get_mut(&Client(token.0 as u64)) else { return false };
        let shutdown = session.readable(daemon, now);
        if left {
            session.leave();
        }
        shutdown
    }

    /// Hands answers out, moves streams on, drops connections that are over.
    pub fn serve<H: Hypervisor>(&mut self, daemon: &mut Daemon<H>, registry: &Registry, now: Instant) -> Shutdown {
        let mut shutdown = false;
        for output in daemon.take_outputs() {
            if let Some(session) = self.sessions.get_mut(&output.client) {
                shutdown |= session.answer(&output.response, daemon, now);
            }
        }
        for session in self.sessions.values_mut() {
            session.pump(daemon);
        }
        let over: Vec<Client> = self.sessions.iter().filter(|(_, s)| s.is_over()).map(|(client, _)| *client).collect();
        for client in over {
            if let Some(mut session) = self.sessions.remove(&client) {
                let _ = registry.deregister(session.source());
                daemon.forget(client);
            }
        }
        shutdown
    }

    /// True if somebody follows something that raises no event.
    #[must_use]
    pub fn follow(&self) -> bool {
        self.sessions.values().any(Session::follows)
    }
}
