//! Changing a word that the processor may change at the same time.
//!
//! Invariant: the processor only ever sets the tracking bits of a present entry, so a writer that
//! is alone is disturbed at most twice. Whoever is disturbed more often is not alone: that is an
//! error of ours and is reported instead of tried for ever (compare XSA-246).

use crate::{Format, Memory, Mfn};

/// How often a compare-and-exchange is tried: two disturbances, the success, and one to spare.
pub const ATTEMPTS: usize = 4;

/// The word is not what the only writer left there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Contended;

/// A word of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    pub(crate) table: Mfn,
    pub(crate) index: usize,
    pub(crate) level: u8,
    /// What was there when it was read.
    pub(crate) entry: u64,
}

impl Slot {
    /// True if the word is a leaf.
    pub(crate) fn is_leaf<F: Format>(&self) -> bool {
        F::is_present(self.entry) && F::is_leaf(self.entry, self.level)
    }

    /// True if the word leads to a table.
    pub(crate) fn is_table<F: Format>(&self) -> bool {
        F::is_present(self.entry) && !F::is_leaf(self.entry, self.level)
    }

    /// Replaces the word by `change` of it and returns the word that was replaced, tracking bits
    /// included. Gives up if anything but tracking bits changed meanwhile.
    pub(crate) fn update<F: Format>(
        &self,
        mem: &(impl Memory + ?Sized),
        change: impl Fn(u64) -> u64,
    ) -> Result<u64, Contended> {
        let mut expected = self.entry;
        for _ in 0..ATTEMPTS {
            match mem.compare_exchange(self.table, self.index, expected, change(expected)) {
                Ok(_) => return Ok(expected),
                Err(found) if (found ^ self.entry) & !F::TRACKING != 0 => return Err(Contended),
                Err(found) => expected = found,
            }
        }
        Err(Contended)
    }
}
