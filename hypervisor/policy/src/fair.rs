//! Who runs next: fair queueing by virtual time.
//!
//! Each entity (a vCPU) has a virtual time, which runs faster the less weight it has; the one
//! that is furthest behind runs. The queue's clock is the virtual time of the one furthest
//! behind, and never goes back. Who wakes up starts at most one slice behind the clock, so that
//! it runs soon, but cannot save up sleep to shut others out.
//!
//! Times are nanoseconds. The owner of the queue says who is runnable; nothing is stored here
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
}

impl Entity {
    /// A new entity, which has to be woken before it competes. `weight` is brought into
    /// 1..=[`HEAVIEST`].
    #[must_use]
    pub const fn new(weight: u32) -> Self {
        let weight = if weight == 0 { 1 } else { weight };
        Self { weight: if weight > HEAVIEST { HEAVIEST } else { weight }, virtual_time: 0 }
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

    /// What `time` is in this entity's virtual time: at least 1 if it is not 0, so that nobody
    /// runs for nothing.
    #[must_use]
    pub const fn scale(&self, time: u64) -> u64 {
        let scaled = (time as u128 * NORMAL as u128).div_ceil(self.weight as u128);
        if scaled > u64::MAX as u128 { u64::MAX } else { scaled as u64 }
    }
}

/// A set of entities that compete.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Queue {
    clock: u64,
}

impl Queue {
    /// Nobody has run yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { clock: 0 }
    }

    /// The virtual time that a newcomer starts at.
    #[must_use]
    pub const fn clock(&self) -> u64 {
        self.clock
    }

    /// The entity wakes up (or is new: `slice` 0): it keeps its virtual time, but no more than
    /// `slice` of credit.
    pub fn wake(&self, entity: &mut Entity, slice: u64) {
        let earliest = self.clock.saturating_sub(entity.scale(slice));
        entity.virtual_time = entity.virtual_time.max(earliest);
    }

    /// The entity ran for `time`.
    pub const fn charge(entity: &mut Entity, time: u64) {
        entity.virtual_time = entity.virtual_time.saturating_add(entity.scale(time));
    }

    /// Of the runnable entities, the running one included, the one that is furthest behind; the
    /// first of equals. Moves the clock up to it.
    pub fn pick<'a, K>(&mut self, runnable: impl IntoIterator<Item = (K, &'a Entity)>) -> Option<K> {
        let (key, entity) = runnable.into_iter().min_by_key(|(_, entity)| entity.virtual_time)?;
        self.clock = self.clock.max(entity.virtual_time);
        Some(key)
    }

    /// True if one that woke up should run before `running` has used up its slice: it is behind
    /// by more than `granularity` (the cost of a switch, in time well spent).
    #[must_use]
    pub const fn preempts(woken: &Entity, running: &Entity, granularity: u64) -> bool {
        woken.virtual_time.saturating_add(woken.scale(granularity)) < running.virtual_time
    }
}

/// How long an entity may run at a stretch: its share of `period`, in which each of the runnable
/// ones (`total` is the sum of their weights) should run once; not less than `least`.
#[must_use]
pub const fn slice(entity: &Entity, total: u64, period: u64, least: u64) -> u64 {
    let total = if total < entity.weight as u64 { entity.weight as u64 } else { total };
    // A share of the period, so it fits.
    let share = (period as u128 * entity.weight as u128 / total as u128) as u64;
    if share < least { least } else { share }
}
