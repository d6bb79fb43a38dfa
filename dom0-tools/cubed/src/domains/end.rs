//! How domains ended: kept for `show`, `wait` and the console's history when they are gone.

use protocol::{Domain, Reason, Stats};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Ends that are kept.
const KEPT: usize = 64;

/// A domain that is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// As `show` told it last.
    pub domain: Domain,
    /// Its last counters.
    pub stats: Option<Stats>,
}

impl End {
    /// Identifier.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.domain.summary.id
    }

    /// Name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.domain.summary.name
    }

    /// Why, and the reason's detail.
    #[must_use]
    pub fn why(&self) -> (Reason, u64) {
        (self.domain.summary.reason, self.domain.summary.detail)
    }
}

/// The last ends, newest first.
#[derive(Debug, Default)]
pub struct Ends {
    ends: VecDeque<End>,
}

impl Ends {
    /// From what was written down.
    #[must_use]
    pub fn new(ends: Vec<End>) -> Self {
        Self { ends: ends.into() }
    }

    /// Adds one; the oldest goes.
    pub fn push(&mut self, end: End) {
        self.ends.push_front(end);
        self.ends.truncate(KEPT);
    }

    /// The last one of that name or identifier.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&End> {
        let id = name.parse().ok();
        self.ends.iter().find(|end| end.name() == name || Some(end.id()) == id)
    }

    /// That of the domain with this identifier.
    pub fn of(&mut self, id: u32) -> Option<&mut End> {
        self.ends.iter_mut().find(|end| end.id() == id)
    }

    /// All, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<&End> {
        self.ends.iter().collect()
    }
}
