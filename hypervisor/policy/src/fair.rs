//! Who runs next: fair queueing by virtual time, with a head start for those that wake up.
//!
//! Each entity (a vCPU) has a virtual time, which runs faster the less weight it has. The queue's
//! clock is the least virtual time of the runnable ones, and never goes back. Who wakes up starts at
//! most one slice behind the clock, so that it cannot save up sleep to shut others out.
//!
//! Who wakes up is *urgent* until it has run for one slice: it goes before others that are behind it
//! by less than the lead of its class. So one that needs little of a CPU runs at once when it wakes up,
//! whoever runs; and one that naps to stay urgent gains the lead once, not again and again, because
//! its virtual time counts on. Entities that serve others have twice the lead.
//!
//! Times are of any one unit. The owner of the queue says who is runnable; nothing is stored here
//! that could get out of step with that.

/// Weight of an ordinary entity.
pub const NORMAL: u32 = 256;
/// Largest weight, so that a share is never below 1/2^16 of another.
pub const HEAVIEST: u32 = NORMAL << 8;

/// Something that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entity {
    weight: u32,
    virtual_time: u64,
    /// How long it may still run with a head start.
    urgent: u64,
    serves: bool,
}

impl Entity {
    /// A new entity, which has to be woken before it competes. `weight` is brought into
    /// 1..=[`HEAVIEST`].
    #[must_use]
    pub const fn new(weight: u32) -> Self {
        let weight = if weight == 0 { 1 } else { weight };
        Self { weight: if weight > HEAVIEST { HEAVIEST } else { weight }, virtual_time: 0, urgent: 0, serves: false }
    }

    /// The same as one that others wait for: when it wakes up it goes before others that did.
    #[must_use]
    pub const fn serving(mut self) -> Self {
        self.serves = true;
        self
    }

    /// Its weight.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// Its virtual time: comparable with those of the same queue.
    #[must_use]
    pub const fn virtual_time(&self) -> u64 {
        self.virtual_time
    }

    /// True from its waking up until it has run for a slice.
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        self.urgent > 0
    }

    /// What `time` is in this entity's virtual time: at least 1 if it is not 0, so that nobody
    /// runs for nothing.
    #[must_use]
    pub const fn scale(&self, time: u64) -> u64 {
        let scaled = (time as u128 * NORMAL as u128).div_ceil(self.weight as u128);
        if scaled > u64::MAX as u128 { u64::MAX } else { scaled as u64 }
    }

    /// It ran for `time`.
    pub const fn charge(&mut self, time: u64) {
        self.virtual_time = self.virtual_time.saturating_add(self.scale(time));
        self.urgent = self.urgent.saturating_sub(time);
    }

    /// The same after a further `time`: for one that runs and was not charged yet.
    #[must_use]
    pub const fn after(mut self, time: u64) -> Self {
        self.charge(time);
        self
    }
}

/// A set of entities that compete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Queue {
    clock: u64,
    slice: u64,
}

/// How far ahead of others an urgent entity still goes first, in slices.
const LEAD: u128 = 2;

impl Queue {
    /// Nobody has run yet. `slice` is the longest that an entity runs while another waits.
    #[must_use]
    pub const fn new(slice: u64) -> Self {
        Self { clock: 0, slice }
    }

    /// The least virtual time that counts.
    #[must_use]
    pub const fn clock(&self) -> u64 {
        self.clock
    }

    /// The longest that an entity runs while another waits.
    #[must_use]
    pub const fn slice(&self) -> u64 {
        self.slice
    }

    /// Moves the clock up to the one of the runnable entities, running ones included, that is
    /// furthest behind.
    pub fn advance<'a>(&mut self, runnable: impl IntoIterator<Item = &'a Entity>) {
        if let Some(least) = runnable.into_iter().map(|entity| entity.virtual_time).min() {
            self.clock = self.clock.max(least);
        }
    }

    /// A new entity joins, with what everybody has had.
    pub fn join(&self, entity: &mut Entity) {
        entity.virtual_time = entity.virtual_time.max(self.clock);
    }

    /// The entity wakes up: it keeps its virtual time, but no more than a slice of credit, and is
    /// urgent.
    pub fn wake(&self, entity: &mut Entity) {
        let earliest = self.clock.saturating_sub(entity.scale(self.slice));
        entity.virtual_time = entity.virtual_time.max(earliest);
        entity.urgent = self.slice;
    }

    /// The order in which entities run, least first.
    const fn rank(&self, entity: &Entity) -> u128 {
        let steps = match (entity.is_urgent(), entity.serves) {
            (true, true) => 0,
            (true, false) => 1,
            (false, _) => 2,
        };
        entity.virtual_time as u128 + steps * LEAD * self.slice as u128
    }

    /// Of entities that wait, the one to run; the first of equals.
    pub fn pick<'a, K>(&self, waiting: impl IntoIterator<Item = (K, &'a Entity)>) -> Option<K> {
        waiting.into_iter().min_by_key(|(_, entity)| self.rank(entity)).map(|(key, _)| key)
    }

    /// True if `waiting` should run instead of `running`, which has been charged.
    #[must_use]
    pub const fn preempts(&self, waiting: &Entity, running: &Entity) -> bool {
        self.rank(waiting) < self.rank(running)
    }

    /// The CPU that should run one that woke up instead of what it runs: of those that give way, the
    /// one whose entity can wait longest.
    pub fn place<C>(&self, woken: &Entity, running: impl IntoIterator<Item = (C, Entity)>) -> Option<C> {
        let yielding = running.into_iter().filter(|(_, running)| self.preempts(woken, running));
        yielding.max_by_key(|(_, running)| self.rank(running)).map(|(cpu, _)| cpu)
    }
}
