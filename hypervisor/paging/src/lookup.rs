//! Looking up a translation.

use crate::{Format, Gfn, Leaf, Memory, Size, Tree};

impl<F: Format> Tree<F> {
    /// The leaf that covers `gfn`, whatever its size.
    #[must_use]
    pub fn lookup(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Option<Leaf> {
        if gfn >= self.limit() {
            return None;
        }
        let slot = self.descend(mem, gfn, 0);
        if !slot.is_leaf::<F>() {
            return None;
        }
        Some(Leaf::decode::<F>(slot.entry, gfn, Size::at_level(slot.level)?))
    }
}
