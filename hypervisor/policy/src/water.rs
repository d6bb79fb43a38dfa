//! How many pages to evict now: two marks below a domain's limit.
//!
//! Eviction begins when the room below the limit falls under the low mark, and goes on until it
//! has reached the high mark. Between the marks nothing begins and nothing stops, so that it
//! does not oscillate; pages that are on their way out already count as gone, so that it does
//! not overshoot. All numbers are pages.

/// The marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Marks {
    low: u64,
    high: u64,
}

/// Least room at the low mark, if the limit allows.
const LEAST: u64 = 32;
/// Most room at the low mark: 4 MiB.
const MOST: u64 = 1024;

impl Marks {
    /// Marks for a limit: low is 1/64 of it, between 32 and 1024 pages but never above 1/8; high
    /// is twice that.
    #[must_use]
    pub fn for_limit(limit: u64) -> Self {
        let low = (limit / 64).clamp(LEAST, MOST).min(limit / 8);
        Self { low, high: 2 * low }
    }

    /// Marks of one's own; `None` unless `low <= high`.
    #[must_use]
    pub const fn new(low: u64, high: u64) -> Option<Self> {
        if low <= high { Some(Self { low, high }) } else { None }
    }

    /// Room at which eviction begins.
    #[must_use]
    pub const fn low(&self) -> u64 {
        self.low
    }

    /// Room at which it ends.
    #[must_use]
    pub const fn high(&self) -> u64 {
        self.high
    }
}

/// Whether a domain is being reclaimed from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reclaim {
    active: bool,
}

impl Reclaim {
    /// Not being reclaimed from.
    #[must_use]
    pub const fn new() -> Self {
        Self { active: false }
    }

    /// True between the low and the high mark on the way up.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.active
    }

    /// How many pages to start evicting now, at most `batch`. `charged` are the domain's frames;
    /// `leaving` are those of them whose eviction has begun.
    #[must_use]
    pub fn due(&mut self, marks: Marks, limit: u64, charged: u64, leaving: u64, batch: u64) -> u64 {
        let staying = charged.saturating_sub(leaving);
        let room = limit.saturating_sub(staying);
        if room < marks.low || staying > limit {
            self.active = true;
        } else if room >= marks.high {
            self.active = false;
        }
        if !self.active {
            return 0;
        }
        // A domain whose limit is below the marks gives what it has and no more.
        let goal = limit.saturating_sub(marks.high);
        staying.saturating_sub(goal).min(batch)
    }
}

/// True if the domain is so far below its limit that what reclaim has taken apart may be put together again:
/// `margin` pages further than where eviction ends. So each time that this is done and undone, as many pages
/// have come and gone.
#[must_use]
pub const fn is_calm(marks: Marks, limit: u64, charged: u64, margin: u64) -> bool {
    limit.saturating_sub(charged) >= marks.high.saturating_add(margin)
}

/// True if the domain may not have another frame: the fault waits until something has left.
#[must_use]
pub const fn is_full(limit: u64, charged: u64) -> bool {
    charged >= limit
}
