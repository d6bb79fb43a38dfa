//! The slots of the store: who is free, and how many refer to each.
//!
//! A slot's count is the number of pages swapped to it, names of clean pages, holds of disk
//! histories, and pins of live operations. At 0 it waits in limbo until [`Slots::settle`]: an
//! event that still names it may be under way from the hypervisor. Invariant: free implies count 0;
//! count 0 implies free, in limbo, or broken.

use crate::extents::Extents;
use std::collections::BTreeSet;

/// The slot table.
#[derive(Debug)]
pub(crate) struct Slots {
    counts: Vec<u32>,
    limbo: Vec<u64>,
    broken: Vec<u64>,
    extents: Extents,
    /// Slots that only guests' writes may take.
    reserve: u64,
    /// Written before a sync failed: good to read, but no flush may rely on them.
    doubtful: BTreeSet<u64>,
}

impl Slots {
    /// All slots free.
    pub(crate) fn new(slots: u64, reserve: u64) -> Self {
        let mut extents = Extents::default();
        extents.insert(0, slots);
        let counts = vec![0; usize::try_from(slots).unwrap_or(0)];
        Self { counts, limbo: Vec::new(), broken: Vec::new(), extents, reserve, doubtful: BTreeSet::new() }
    }

    /// All slots in limbo, so that those found to be in use can be held.
    pub(crate) fn unsettled(slots: u64, reserve: u64) -> Self {
        let mut new = Self::new(0, reserve);
        new.counts = vec![0; usize::try_from(slots).unwrap_or(0)];
        new.limbo = (0..slots).collect();
        new
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.len() as u64
    }

    pub(crate) const fn free(&self) -> u64 {
        self.extents.free()
    }

    pub(crate) fn count(&self, slot: u64) -> u32 {
        self.index(slot).map_or(0, |i| self.counts[i])
    }

    pub(crate) fn exists(&self, slot: u64) -> bool {
        slot < self.total()
    }

    pub(crate) fn is_free(&self, slot: u64) -> bool {
        self.extents.contains(slot)
    }

    /// True if slots wait for the next settling.
    pub(crate) fn has_limbo(&self) -> bool {
        !self.limbo.is_empty()
    }

    /// True while the slot's content can be relied on.
    pub(crate) fn is_alive(&self, slot: u64) -> bool {
        self.exists(slot) && !self.is_free(slot) && !self.broken.contains(&slot)
    }

    /// A slot with count 1. `urgent` may use the reserve.
    pub(crate) fn take(&mut self, stream: u32, urgent: bool) -> Option<u64> {
        if !urgent && self.free() <= self.reserve {
            return None;
        }
        let slot = self.extents.take(stream)?;
        self.doubtful.remove(&slot);
        self.hold(slot);
        Some(slot)
    }

    /// A sync failed: what is in slots now may not survive a loss of power.
    pub(crate) fn doubt(&mut self) {
        self.doubtful.extend((0u64..).zip(&self.counts).filter(|(_, count)| **count > 0).map(|(slot, _)| slot));
    }

    /// Whether no flush may rely on the slot.
    pub(crate) fn is_doubtful(&self, slot: u64) -> bool {
        self.doubtful.contains(&slot)
    }

    /// One more refers to the slot.
    pub(crate) fn hold(&mut self, slot: u64) {
        if let Some(i) = self.index(slot) {
            self.counts[i] = self.counts[i].saturating_add(1);
        }
    }

    /// One fewer refers to the slot.
    pub(crate) fn let_go(&mut self, slot: u64) {
        if let Some(i) = self.index(slot) {
            self.counts[i] = self.counts[i].saturating_sub(1);
            if self.counts[i] == 0 {
                self.limbo.push(slot);
            }
        }
    }

    /// Like [`Slots::let_go`] for a slot that could not be written: it is not used again.
    pub(crate) fn condemn(&mut self, slot: u64) {
        if let Some(i) = self.index(slot) {
            self.counts[i] = 0;
            self.broken.push(slot);
        }
    }

    /// Frees what is in limbo. Returns how many slots became free.
    pub(crate) fn settle(&mut self) -> u64 {
        let before = self.free();
        let mut limbo = std::mem::take(&mut self.limbo);
        limbo.sort_unstable();
        limbo.dedup();
        limbo.retain(|&slot| self.count(slot) == 0 && !self.is_free(slot) && !self.broken.contains(&slot));
        for run in limbo.chunk_by(|a, b| a + 1 == *b) {
            if let Some(&first) = run.first() {
                self.extents.insert(first, run.len() as u64);
            }
        }
        self.free() - before
    }

    /// A domain is gone.
    pub(crate) fn end_stream(&mut self, stream: u32) {
        self.extents.end_stream(stream);
    }

    /// Compares the counts with `expected` and checks the invariant; the first offence in words.
    pub(crate) fn audit(&self, expected: &[u32]) -> Result<(), String> {
        let limbo: BTreeSet<u64> = self.limbo.iter().chain(&self.broken).copied().collect();
        for (slot, (&have, &want)) in (0u64..).zip(self.counts.iter().zip(expected)) {
            if have != want {
                return Err(format!("slot {slot}: count {have}, but {want} refer to it"));
            }
            if self.is_free(slot) && have != 0 {
                return Err(format!("slot {slot}: free, but {have} refer to it"));
            }
            if have == 0 && !self.is_free(slot) && !limbo.contains(&slot) {
                return Err(format!("slot {slot}: leaked, nothing refers to it"));
            }
        }
        Ok(())
    }

    fn index(&self, slot: u64) -> Option<usize> {
        usize::try_from(slot).ok().filter(|&i| i < self.counts.len())
    }
}
