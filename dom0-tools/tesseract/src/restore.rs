//! Starting again: after a kill with pages still swapped, or with references of earlier days.

use crate::action::Action;
use crate::config::Config;
use crate::error::Error;
use crate::job::Phase;
use crate::slots::Slots;
use crate::state::Waiter;
use crate::{Map, PageId, RefTable};
use abi::BlockRef;

impl Map {
    /// A map over a store in use. `refs`: what the journal says. Then, in this order: attach the disks,
    /// tell of every swapped page ([`Map::restore_page`]), feed all events that are posted again,
    /// call [`Map::settle`]. Until then no slot is free and no block is overwritten: a live
    /// request may be the only one that still names its content.
    ///
    /// # Errors
    /// If a reference names a slot beyond the store.
    pub fn restore(config: Config, refs: RefTable) -> Result<Self, Error> {
        let mut slots = Slots::unsettled(config.slots, config.reserve);
        for slot in refs.holds() {
            if !slots.exists(slot) {
                return Err(Error::NoSuchSlot(slot));
            }
            slots.hold(slot);
        }
        let mut map = Self::empty(config, slots, refs);
        map.recovering = true;
        Ok(map)
    }

    /// A page of `LIST_SWAPPED`, told between [`Map::restore`] and the first [`Map::settle`].
    /// False: the reference names nothing that this store or its disks have; the page's content
    /// is lost and its domain cannot go on once it needs it.
    pub fn restore_page(&mut self, page: PageId, block: BlockRef) -> bool {
        if !self.recovering || !self.is_known(block) {
            return false;
        }
        self.hold(block);
        if let Some(old) = self.swapped.insert(page, block) {
            self.let_go(old);
        }
        true
    }

    /// A domain is gone: its pages refer to nothing any more. Of its requests, what is under way
    /// runs to its end; nobody is answered.
    pub fn domain_gone(&mut self, domain: u32) -> Vec<Action> {
        let first = PageId { domain, page: 0 };
        let mine = |p: &PageId| p.domain == domain;
        for page in self.swapped.keys_from(first).take_while(mine).collect::<Vec<_>>() {
            if let Some(block) = self.swapped.remove(page) {
                self.let_go(block);
            }
        }
        for page in self.clean.keys_from(first).take_while(mine).collect::<Vec<_>>() {
            self.unname(page);
        }
        self.unsure.retain(|p| p.domain != domain);
        self.parked.retain(|p, _| p.domain != domain);
        self.short.retain(|p| p.domain != domain);
        self.starved.remove(&domain);
        self.paused.remove(&domain);
        self.slots.end_stream(domain);
        self.switches.remove(&domain);
        // Those of domains whose last accesses ended after them.
        self.stats.retain(|d, _| *d != domain && self.switches.contains_key(d));
        self.orphan_requests(domain);
        self.finish_call()
    }

    fn orphan_requests(&mut self, domain: u32) {
        for job in self.jobs.values_mut() {
            if let Some(request) = job.request.take_if(|r| r.domain == domain) {
                job.orphan = self.requests.remove(&request);
                job.failed |= matches!(job.phase, Phase::Queued | Phase::Preserve);
            }
        }
        let theirs = |waiter: &Waiter| matches!(waiter, Waiter::Request(r) if r.domain == domain);
        for disk in self.disks.values_mut() {
            disk.waiting.retain(|w| !theirs(w));
            if let Some(run) = &mut disk.flush {
                run.waiters.retain(|w| !theirs(w));
            }
        }
    }
}
