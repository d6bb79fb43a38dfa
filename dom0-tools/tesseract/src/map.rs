//! The map itself: its state, and the dispatch of completions.

use crate::action::{Action, ActionId, Op, Outcome};
use crate::backoff::Backoff;
use crate::config::{Config, Switches};
use crate::job::Job;
use crate::links::Links;
use crate::parked::Parked;
use crate::queue::JobId;
use crate::sick::Sick;
use crate::slots::Slots;
use crate::state::{Disk, FlushPart, Loading, Pending, PinId, Request};
use crate::stats::{Stats, Totals};
use crate::{PageId, RefTable, RequestId};
use abi::BlockRef;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// Names of slots carry this unit.
pub(crate) const STORE_UNIT: u16 = 0;

/// All bookkeeping of pages, slots and disk blocks. Every method returns what is to be done now.
#[derive(Debug)]
pub struct Map {
    pub(crate) config: Config,
    next_action: ActionId,
    pub(crate) next_job: JobId,
    pub(crate) next_mark: u64,
    pub(crate) out: Vec<Action>,
    pub(crate) pending: HashMap<ActionId, Pending>,
    pub(crate) slots: Slots,
    /// Swapped pages, with the reference that the hypervisor holds.
    pub(crate) swapped: Links<PageId>,
    /// Resident pages whose bytes, if the hypervisor says they are clean, equal this content.
    pub(crate) clean: Links<PageId>,
    /// Content that queued or running jobs will still write.
    pub(crate) pins: Links<PinId>,
    /// Pages that our commands took away from this content since the last settling: events that
    /// still name it may be under way.
    pub(crate) left: Links<PageId>,
    pub(crate) refs: RefTable,
    pub(crate) disks: BTreeMap<u16, Disk>,
    pub(crate) jobs: BTreeMap<JobId, Job>,
    pub(crate) preserving: BTreeSet<JobId>,
    pub(crate) requests: HashMap<RequestId, Request>,
    pub(crate) loading: HashMap<PageId, Loading>,
    /// Pages with a `MOVE_REFERENCE` under way; true: the guest asked for the page since.
    pub(crate) moving: BTreeMap<PageId, bool>,
    /// Pages that the hypervisor would not move: an event that tells why is under way.
    pub(crate) unsure: BTreeSet<PageId>,
    /// Pages that guests wait for and that the hypervisor could not take.
    pub(crate) parked: BTreeMap<PageId, Parked>,
    /// Disk blocks that running actions read or name, with how many.
    pub(crate) busy: BTreeMap<BlockRef, u32>,
    /// Live uses of whole pages by requests; true: by several at once, so no name is safe.
    pub(crate) uses: HashMap<PageId, (u32, bool)>,
    /// Page-outs that wait for a slot.
    pub(crate) short: VecDeque<PageId>,
    /// Domains whose page-outs failed for want of slots.
    pub(crate) starved: BTreeSet<u32>,
    /// Domains whose page-outs could not be written.
    pub(crate) paused: BTreeMap<u32, Backoff>,
    /// Disk blocks whose last journal record failed: whether it is on disk is not known until the
    /// journal is written or read again, so their content is neither shown nor changed.
    pub(crate) broken: BTreeSet<(u16, u64)>,
    /// How the journal is.
    pub(crate) sick: Sick,
    /// Milliseconds, as [`Map::set_time`] last told.
    pub(crate) now: u64,
    /// Until the first settling: live objects of an earlier daemon are still being told.
    pub(crate) recovering: bool,
    pub(crate) switches: HashMap<u32, Switches>,
    pub(crate) stats: BTreeMap<u32, Stats>,
    pub(crate) totals: Totals,
}

impl Map {
    pub(crate) fn empty(config: Config, slots: Slots, refs: RefTable) -> Self {
        Self {
            config,
            next_action: 0,
            next_job: 0,
            next_mark: refs.last_mark() + 1,
            out: Vec::new(),
            pending: HashMap::new(),
            slots,
            swapped: Links::default(),
            clean: Links::default(),
            pins: Links::default(),
            left: Links::default(),
            refs,
            disks: BTreeMap::new(),
            jobs: BTreeMap::new(),
            preserving: BTreeSet::new(),
            requests: HashMap::new(),
            loading: HashMap::new(),
            moving: BTreeMap::new(),
            unsure: BTreeSet::new(),
            parked: BTreeMap::new(),
            busy: BTreeMap::new(),
            uses: HashMap::new(),
            short: VecDeque::new(),
            starved: BTreeSet::new(),
            paused: BTreeMap::new(),
            broken: BTreeSet::new(),
            sick: Sick::default(),
            now: 0,
            recovering: false,
            switches: HashMap::new(),
            stats: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    /// A map over an empty store.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self::empty(config, Slots::new(config.slots, config.reserve), RefTable::new())
    }

    /// What came of an action. Unknown identifiers are ignored.
    pub fn complete(&mut self, id: ActionId, outcome: Outcome) -> Vec<Action> {
        match self.pending.remove(&id) {
            None | Some(Pending::Nothing) => {}
            Some(Pending::SavePage { page, slot }) => self.page_saved(page, slot, outcome),
            Some(Pending::PageOut { page, block, named }) => self.page_is_out(page, block, named, outcome),
            Some(Pending::Load { page, block, keep }) => self.page_loaded(page, block, keep, outcome),
            Some(Pending::Preserve { job, lba }) => self.block_preserved(job, lba, outcome),
            Some(Pending::Move { page, old, new }) => self.page_moved(page, old, new, outcome),
            Some(Pending::Io { job }) => self.job_io_done(job, outcome),
            Some(Pending::Journal { job }) => {
                self.appended(id, outcome);
                if let Some(job) = job {
                    self.job_journalled(job, outcome);
                }
            }
            Some(Pending::Ask { job }) => {
                self.appended(id, outcome);
                self.journal_answered(job, outcome);
            }
            Some(Pending::Flush { disk, part }) => {
                match part {
                    FlushPart::Append => self.appended(id, outcome),
                    FlushPart::Store if outcome != Outcome::Done => self.store_not_durable(disk),
                    FlushPart::Store | FlushPart::Image => {}
                }
                self.flush_step_done(disk, part, outcome);
            }
        }
        self.finish_call()
    }

    /// To be called when every event that the hypervisor posted before the results reported so
    /// far has been fed in (that is: results reported, then the event ring drained). Until then
    /// nothing that a late event may name is reused or overwritten. Calling it when nothing
    /// waits for it costs nothing.
    pub fn settle(&mut self) -> Vec<Action> {
        self.recovering = false;
        self.left = Links::default();
        for page in std::mem::take(&mut self.unsure) {
            // The hypervisor does not hold the reference, and told of no new use: it is gone.
            if !self.loading.contains_key(&page)
                && let Some(block) = self.swapped.remove(page)
            {
                self.let_go(block);
            }
        }
        self.slots.settle();
        self.serve_parked();
        self.serve_paused();
        self.ask_journal();
        self.finish_call()
    }

    /// The time, in milliseconds of a clock that does not go back. What waits for it goes on at
    /// the next settling.
    pub fn set_time(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    /// The time at which [`Map::settle`] has something to do although nothing happened.
    #[must_use]
    pub fn due(&self) -> Option<u64> {
        let journal = (!self.journal_is_well()).then_some(self.sick.due);
        let paused = self.paused.values().filter_map(|p| p.due);
        let crowded = self.preserving.iter().filter_map(|id| self.jobs.get(id)?.crowded.due);
        self.parked.values().map(|p| p.due).chain(paused).chain(crowded).chain(journal).min()
    }

    /// The switches of a domain from now on.
    pub fn set_switches(&mut self, domain: u32, switches: Switches) {
        self.switches.insert(domain, switches);
    }

    /// The counters of a domain.
    #[must_use]
    pub fn stats(&self, domain: u32) -> Stats {
        self.stats.get(&domain).copied().unwrap_or_default()
    }

    /// Counters and levels of the whole map.
    #[must_use]
    pub fn totals(&self) -> Totals {
        Totals {
            slots: self.slots.total(),
            free: self.slots.free(),
            swapped: self.swapped.len() as u64,
            named: self.clean.len() as u64,
            ref_lbas: self.refs.len() as u64,
            ..self.totals
        }
    }

    /// Blocks of a disk with a reference, current or durable.
    #[must_use]
    pub fn references(&self, disk: u16) -> u64 {
        self.refs.len_of(disk) as u64
    }

    /// Everything that the map knows about a page: for `why` questions. `(swapped to, clean name)`.
    #[must_use]
    pub fn page(&self, page: PageId) -> (Option<BlockRef>, Option<BlockRef>) {
        (self.swapped.get(page), self.clean.get(page))
    }

    pub(crate) fn emit(&mut self, op: Op, then: Pending) {
        let id = self.next_action;
        self.next_action += 1;
        self.pending.insert(id, then);
        self.out.push(Action { id, op });
    }

    /// Lets everything go on that may, and hands out what has accumulated.
    pub(crate) fn finish_call(&mut self) -> Vec<Action> {
        for job in self.preserving.iter().copied().collect::<Vec<_>>() {
            self.advance(job);
        }
        self.serve_short();
        std::mem::take(&mut self.out)
    }

    pub(crate) fn hold(&mut self, block: BlockRef) {
        if block.kind() == BlockRef::SWAP {
            self.slots.hold(block.block());
        }
    }

    pub(crate) fn let_go(&mut self, block: BlockRef) {
        if block.kind() == BlockRef::SWAP {
            self.slots.let_go(block.block());
        }
    }

    pub(crate) fn use_block(&mut self, block: BlockRef) {
        *self.busy.entry(block).or_default() += 1;
    }

    pub(crate) fn idle(&mut self, block: BlockRef) {
        if let Some(n) = self.busy.get_mut(&block) {
            *n -= 1;
            if *n == 0 {
                self.busy.remove(&block);
            }
        }
    }

    pub(crate) fn of(&mut self, domain: u32) -> &mut Stats {
        self.stats.entry(domain).or_default()
    }

    pub(crate) fn switches_of(&self, domain: u32) -> Switches {
        self.switches.get(&domain).copied().unwrap_or_default()
    }
}

/// The name of a slot.
pub(crate) fn slot_ref(slot: u64) -> BlockRef {
    BlockRef::new(BlockRef::SWAP, STORE_UNIT, slot).unwrap_or(BlockRef::NONE)
}

/// The name of a disk block.
pub(crate) fn disk_ref(disk: u16, lba: u64) -> BlockRef {
    BlockRef::new(BlockRef::DISK, disk, lba).unwrap_or(BlockRef::NONE)
}
