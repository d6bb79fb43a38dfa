//! Mappings of 2 MiB: 512 mappings become one, and one becomes 512.
//!
//! The frames behind them, and what may be done through them, stay the same all the time, so neither changes
//! anything that a guest could see. What a processor has set in any of the 512 (accessed, dirty) counts for all of
//! them from the merge on.

use super::nested::{Nested, on};
use super::tables::Tables;
use paging::{Gfn, Size};

impl Nested {
    /// Large mappings of a guest now.
    pub const fn large(&self) -> u64 {
        self.merges.saturating_sub(self.splits)
    }

    /// Makes the 512 mappings around `gfn` one; false if they are not alike and in order. `flush` makes all CPUs forget
    /// the small ones; their table is kept for the split after that.
    pub fn merge(&mut self, gfn: Gfn, flush: impl FnOnce()) -> bool {
        match on!(&mut self.tree, tree => tree.merge(&self.spare, gfn, Size::Large)) {
            Ok(debt) => {
                debt.pay(&self.spare, flush);
                self.merges += 1;
                true
            }
            Err(_) => false,
        }
    }

    /// Gives a page a mapping of its own if it has one at all; false if it has still a larger one, which only a bug
    /// of ours makes. A flush is owed until [`Nested::unmap_batch`] or [`Nested::clear_dirty`], and has to come before
    /// the lock is released.
    pub(super) fn split(&mut self, gfn: Gfn) -> bool {
        if on!(&self.tree, tree => tree.lookup(&Tables, gfn)).is_none_or(|leaf| leaf.size == Size::Small) {
            return true;
        }
        match on!(&mut self.tree, tree => tree.split(&self.spare, gfn)) {
            Ok(debt) => {
                self.owe(debt);
                self.splits += 1;
                true
            }
            Err(error) => {
                crate::log::warn_limited!("a large mapping is not split: {error} (a bug)");
                false
            }
        }
    }
}
