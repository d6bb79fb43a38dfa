//! The executor's state, and its main loop.

use super::batch::Batch;
use super::media::Media;
use super::{Io, Job};
use crate::channel::{Buffer, Hypervisor, Lost};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};
use tesseract::{Action, ActionId, Extent, Map, Op, Outcome, PageId, RequestId};

/// Buffers that are left to consoles and loads when the executor takes some, in bytes.
pub(super) const RESERVE: usize = 256 << 10;

/// Guests' disks, the store, and the work under way on them.
pub struct Disks {
    pub(super) map: Map,
    pub(super) io: Box<dyn Io>,
    /// Which image has which number.
    pub(super) media: Media,
    /// Handed out by the map, not begun; those that guests wait for most first.
    pub(super) urgent: VecDeque<Action>,
    pub(super) ready: VecDeque<Action>,
    /// Actions whose access failed together with others': each is tried again by itself, so that an error
    /// hits only whose block it is.
    pub(super) alone: HashSet<ActionId>,
    pub(super) flights: HashMap<u64, Flight>,
    pub(super) next: u64,
    pub(super) batch: Batch,
    /// Live requests of domains that are not gone.
    pub(super) live: HashMap<RequestId, Live>,
    /// Status bytes to copy from.
    pub(super) status: Option<Buffer>,
    pub(super) counts: super::info::Counts,
    /// As it was at the last settling.
    journal_well: bool,
    /// The map's time counts from here.
    pub(super) began: Instant,
}

/// A live request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live {
    /// Device-writable bytes.
    pub writable: u64,
    /// The device's slot.
    pub slot: u32,
}

/// A page offered from a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub id: ActionId,
    pub page: PageId,
    pub block: abi::BlockRef,
    pub keep: bool,
    pub demanded: bool,
    /// Bytes from the beginning of the flight's buffer.
    pub at: usize,
}

/// A part of a write, which is one action's.
#[derive(Debug)]
pub(super) struct Part {
    pub action: Action,
    pub outcome: Outcome,
}

/// An access under way, by its token.
#[derive(Debug)]
pub(super) enum Flight {
    /// Pieces are being gathered into the buffer, `left` of them are missing.
    Gather { to: Extent, buffer: Buffer, parts: Vec<Part>, left: u32 },
    /// A piece at rest is read for the write `write`, part `part`, to go to `at` of its buffer.
    Piece { write: u64, part: usize, at: usize, len: usize },
    /// Being written.
    Write { to: Extent, parts: Vec<Part> },
    /// Being read for a guest.
    Read { id: ActionId, request: RequestId, at: u32, len: usize },
    /// Pages being read.
    Load { from: Extent, offers: Vec<Offer> },
    /// Anything without a buffer.
    Plain { id: ActionId, len: u64 },
}

impl Disks {
    /// An executor for this map. `media` tells of images with references of earlier days.
    #[must_use]
    pub fn new(map: Map, io: Box<dyn Io>, media: Media) -> Self {
        Self {
            map,
            io,
            media,
            urgent: VecDeque::new(),
            ready: VecDeque::new(),
            alone: HashSet::new(),
            flights: HashMap::new(),
            next: 0,
            batch: Batch::default(),
            live: HashMap::new(),
            status: None,
            counts: super::info::Counts::default(),
            journal_well: true,
            began: Instant::now(),
        }
    }

    /// Goes on with everything that can go on now: results are reported until the map wants
    /// nothing more that could be done at once. True if something was done.
    ///
    /// # Errors
    /// [`Lost`] as the channel.
    pub fn run(&mut self, hypervisor: &mut dyn Hypervisor) -> Result<bool, Lost> {
        let mut worked = false;
        loop {
            for finished in self.io.finished(hypervisor) {
                self.land(finished, hypervisor);
                worked = true;
            }
            let began = self.begin(hypervisor);
            let outcomes = self.submit(hypervisor)?;
            worked |= began || !outcomes.is_empty();
            if !began && outcomes.is_empty() {
                self.io.flush();
                return Ok(worked);
            }
            for (id, outcome) in outcomes {
                self.report(id, outcome);
            }
        }
    }

    /// All events up to now have been fed.
    pub fn settle(&mut self) {
        let actions = self.map.settle();
        self.take(actions);
        self.retire_again();
        let well = self.map.journal_is_well();
        if well != std::mem::replace(&mut self.journal_well, well) {
            if well {
                tracing::info!("the journal of the swap store is written again");
                self.retire_unused();
            } else {
                tracing::error!(
                    "the journal of the swap store cannot be written: guests' blocks are copied home until it can"
                );
            }
        }
    }

    /// The time, for what is to be tried again.
    pub fn set_time(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.began);
        self.map.set_time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
    }

    /// When to settle although nothing happened.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.map.due().map(|due| self.began + Duration::from_millis(due))
    }

    /// True if nothing is under way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.flights.is_empty() && self.urgent.is_empty() && self.ready.is_empty()
    }

    /// Takes actions that the map handed out.
    pub(super) fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action.op {
                Op::Load { demanded: true, .. } => self.urgent.push_back(action),
                _ => self.ready.push_back(action),
            }
        }
    }

    /// Reports what came of an action.
    pub(super) fn report(&mut self, id: ActionId, outcome: Outcome) {
        self.alone.remove(&id);
        let actions = self.map.complete(id, outcome);
        self.take(actions);
    }

    /// Begins an access.
    pub(super) fn fly(&mut self, flight: Flight, job: Job, hypervisor: &mut dyn Hypervisor) {
        let token = self.token();
        self.flights.insert(token, flight);
        self.io.begin(token, job, hypervisor);
    }

    pub(super) fn token(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// A buffer, if one is free beyond the reserve.
    pub(super) fn buffer(hypervisor: &dyn Hypervisor, len: usize) -> Option<Buffer> {
        let pool = hypervisor.pool();
        (pool.free() >= len + RESERVE).then(|| pool.take(len)).flatten()
    }
}
