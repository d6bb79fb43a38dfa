//! Free slots as runs, and the choice of the next one.
//!
//! Each stream (a domain) takes consecutive slots of a run of its own, so that what is evicted
//! together lies together. When its run ends, a stream turns to the longest free run, or, if
//! another stream is already at its start, to a place further inside. All steps are O(log runs).
//! Invariant: runs are not empty, do not overlap, and no two touch.

use std::collections::{BTreeMap, BTreeSet};

/// Slots between the cursors of two streams that share one free run.
const STRIDE: u64 = 1024;

/// The free slots.
#[derive(Default, Debug)]
pub(crate) struct Extents {
    by_start: BTreeMap<u64, u64>,
    by_len: BTreeSet<(u64, u64)>,
    cursors: BTreeMap<u32, u64>,
    free: u64,
}

impl Extents {
    /// Number of free slots.
    pub(crate) const fn free(&self) -> u64 {
        self.free
    }

    /// Number of free runs.
    #[cfg(test)]
    pub(crate) fn runs(&self) -> usize {
        self.by_start.len()
    }

    /// True if the slot is free.
    pub(crate) fn contains(&self, slot: u64) -> bool {
        self.run_of(slot).is_some()
    }

    /// Gives back `len` slots from `start` on, none of which is free.
    pub(crate) fn insert(&mut self, start: u64, len: u64) {
        if len == 0 {
            return;
        }
        self.free += len;
        let (mut from, mut to) = (start, start + len);
        if let Some((&s, &l)) = self.by_start.range(..start).next_back()
            && s + l == start
        {
            self.cut(s, l);
            from = s;
        }
        if let Some(&l) = self.by_start.get(&to) {
            self.cut(to, l);
            to += l;
        }
        self.put(from, to - from);
    }

    /// Takes a slot for `stream`; `None` if there is none.
    pub(crate) fn take(&mut self, stream: u32) -> Option<u64> {
        let here = self.cursors.get(&stream).copied().filter(|&c| self.contains(c));
        let slot = match here {
            Some(slot) => slot,
            None => self.place()?,
        };
        let (start, len) = self.run_of(slot)?;
        self.cut(start, len);
        self.put(start, slot - start);
        self.put(slot + 1, start + len - slot - 1);
        self.free -= 1;
        self.cursors.insert(stream, slot + 1);
        Some(slot)
    }

    /// Forgets a stream.
    pub(crate) fn end_stream(&mut self, stream: u32) {
        self.cursors.remove(&stream);
    }

    fn place(&self) -> Option<u64> {
        let &(len, start) = self.by_len.last()?;
        if self.cursors.values().any(|&c| c == start) {
            return Some(start + (len / 2).min(STRIDE));
        }
        Some(start)
    }

    fn run_of(&self, slot: u64) -> Option<(u64, u64)> {
        let (&start, &len) = self.by_start.range(..=slot).next_back()?;
        (slot - start < len).then_some((start, len))
    }

    fn cut(&mut self, start: u64, len: u64) {
        self.by_start.remove(&start);
        self.by_len.remove(&(len, start));
    }

    fn put(&mut self, start: u64, len: u64) {
        if len > 0 {
            self.by_start.insert(start, len);
            self.by_len.insert((len, start));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_stream_gets_consecutive_slots_even_beside_another() {
        let mut e = Extents::default();
        e.insert(0, 10_000);
        let mut last = [None; 2];
        for _ in 0..500 {
            for stream in 0..2u32 {
                let slot = e.take(stream).unwrap();
                let before = &mut last[stream as usize];
                assert!(before.is_none_or(|b| b + 1 == slot));
                *before = Some(slot);
            }
        }
    }

    #[test]
    fn neighbours_are_merged() {
        let mut e = Extents::default();
        for slot in [1, 3, 5, 0, 4, 2] {
            e.insert(slot, 1);
        }
        assert_eq!((e.runs(), e.free()), (1, 6));
        assert!(e.contains(3) && !e.contains(6));
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_is_not_free_and_nothing_is_lost(steps in proptest::collection::vec((0u32..3, 0usize..64), 0..400)) {
            let mut e = Extents::default();
            e.insert(0, 64);
            let mut taken: Vec<u64> = Vec::new();
            for (stream, pick) in steps {
                if pick < 40 || taken.is_empty() {
                    match e.take(stream) {
                        Some(slot) => {
                            proptest::prop_assert!(!taken.contains(&slot) && slot < 64);
                            taken.push(slot);
                        }
                        None => proptest::prop_assert_eq!(taken.len(), 64),
                    }
                } else {
                    let slot = taken.swap_remove(pick % taken.len());
                    e.insert(slot, 1);
                }
                proptest::prop_assert_eq!(e.free() + taken.len() as u64, 64);
                let sum: u64 = e.by_start.values().sum();
                proptest::prop_assert_eq!(sum, e.free());
                proptest::prop_assert_eq!(e.by_start.len(), e.by_len.len());
            }
        }
    }
}
