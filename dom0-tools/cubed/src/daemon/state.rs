//! The daemon's state.

use super::consoles::Consoles;
use super::create::Creation;
use super::teardown;
use super::wait::Waiter;
use super::{Client, Output};
use crate::channel::{Buffer, Hypervisor, Lost, Request};
use crate::disks::Disks;
use crate::domains::build::Wake;
use crate::domains::{Domain, Ends, StateDir};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// Bytes of the buffer that small commands use: it is always there.
pub(super) const SCRATCH: usize = 64 << 10;

/// What the daemon is started with.
pub struct Settings {
    /// Where it writes down what the next one needs.
    pub dir: StateDir,
    /// Called from other threads when [`Daemon::step`] has something to do.
    pub wake: Wake,
}

/// The daemon.
pub struct Daemon<H> {
    /// Before the hypervisor: accesses under way end before their buffers go.
    pub(super) disks: Disks,
    pub(super) hypervisor: H,
    pub(super) scratch: Buffer,
    pub(super) dir: StateDir,
    pub(super) wake: Wake,
    pub(super) domains: BTreeMap<u32, Domain>,
    pub(super) ends: Ends,
    pub(super) consoles: Consoles,
    pub(super) creations: Vec<Creation>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) outputs: Vec<Output>,
    pub(super) deferred: VecDeque<Request>,
    pub(super) lost: Option<Lost>,
    pub(super) now: Instant,
}

impl<H: Hypervisor> Daemon<H> {
    /// The channel.
    pub fn hypervisor(&self) -> &H {
        &self.hypervisor
    }

    /// The executor of disk and store I/O.
    pub fn disks(&self) -> &Disks {
        &self.disks
    }

    /// Gives the channel back.
    pub fn into_hypervisor(self) -> H {
        self.hypervisor
    }

    /// Why nothing can be done any more, if so.
    #[must_use]
    pub fn lost(&self) -> Option<Lost> {
        self.lost
    }

    /// Answers for clients that waited, oldest first.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// A client is gone: nobody waits for its answers any more. What it asked for goes on.
    pub fn forget(&mut self, client: Client) {
        self.waiters.retain(|waiter| waiter.client != client);
        for creation in &mut self.creations {
            if creation.client == Some(client) {
                creation.client = None;
            }
        }
    }

    /// When [`Daemon::step`] has something to do although nothing happened.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let waiters = self.waiters.iter().filter_map(|waiter| waiter.deadline);
        let creations = self.creations.iter().filter_map(Creation::deadline);
        let slow = self.domains.values().any(|domain| domain.dying && !teardown::eager(domain));
        let disks = self.disks.deadline();
        waiters.chain(creations).chain(disks).chain(slow.then(|| self.now + teardown::PAUSE)).min()
    }

    /// True if the next step should follow at once.
    #[must_use]
    pub fn busy(&self) -> bool {
        self.domains.values().any(teardown::eager)
            || self.creations.iter().any(Creation::busy)
            || !self.deferred.is_empty()
    }
}
