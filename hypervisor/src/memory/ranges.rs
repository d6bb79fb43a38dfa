//! Sets of physical address ranges, as the boot code cuts up memory.

use heapless::Vec;

/// A range in bytes: first, one past the last.
pub type Range = (u64, u64);

/// Ascending, disjoint ranges.
#[derive(Clone, Default)]
pub struct Ranges(Vec<Range, 64>);

impl Ranges {
    /// The ranges.
    pub fn iter(&self) -> impl Iterator<Item = Range> + '_ {
        self.0.iter().copied()
    }

    /// Adds a range that overlaps none; false if there are too many.
    pub fn add(&mut self, start: u64, end: u64) -> bool {
        if start >= end {
            return true;
        }
        let at = self.0.iter().position(|range| range.0 > start).unwrap_or(self.0.len());
        self.0.insert(at, (start, end)).is_ok()
    }

    /// Takes a range away; false if there are too many pieces.
    pub fn remove(&mut self, start: u64, end: u64) -> bool {
        let mut rest = Self::default();
        for (a, b) in self.iter() {
            if !rest.add(a, b.min(start)) || !rest.add(a.max(end), b) {
                return false;
            }
        }
        *self = rest;
        true
    }

    /// Bytes in all ranges.
    pub fn total(&self) -> u64 {
        self.iter().map(|(start, end)| end - start).sum()
    }

    /// True if the whole range lies in one of them.
    pub fn contains(&self, start: u64, end: u64) -> bool {
        start <= end && self.iter().any(|(a, b)| a <= start && end <= b)
    }

    /// True if any byte of the range lies in one of them.
    pub fn touches(&self, start: u64, end: u64) -> bool {
        self.iter().any(|(a, b)| a < end && start < b)
    }

    /// The highest `size` bytes, aligned to 4 KiB, that end at or below `below`.
    pub fn highest(&self, size: u64, below: u64) -> Option<u64> {
        let fit = |(start, end): Range| {
            let at = end.min(below).checked_sub(size)? & !0xfff;
            (at >= start).then_some(at)
        };
        self.0.iter().rev().copied().find_map(fit)
    }
}
