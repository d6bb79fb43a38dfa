//! Removing a translation.

use crate::entry::{Contended, Slot};
use crate::{ChangeError, FlushDebt, Format, Gfn, Leaf, Memory, Size, Tree};

/// A translation that is gone from the tree, though not yet from the processors.
#[must_use = "the frame must not be reused before the debt is paid"]
#[derive(Debug)]
pub struct Removed {
    /// What it was. The dirty bit is final: a processor sets it in the entry before it stores,
    /// and finds the entry absent.
    pub leaf: Leaf,
    /// What is owed.
    pub debt: FlushDebt,
}

impl<F: Format> Tree<F> {
    /// Removes the leaf of `size` at `gfn`. Tables stay; see [`Tree::free_tables_bounded`].
    ///
    /// # Errors
    /// See [`ChangeError`]. A larger leaf is not removed in part: split it first.
    pub fn unmap(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn, size: Size) -> Result<Removed, ChangeError> {
        let slot = self.find(mem, gfn, size)?;
        self.take(mem, &slot, gfn).map_err(|Contended| ChangeError::Contended)
    }

    /// Empties a slot that holds a leaf.
    pub(crate) fn take(&mut self, mem: &(impl Memory + ?Sized), slot: &Slot, gfn: Gfn) -> Result<Removed, Contended> {
        let entry = slot.update::<F>(mem, |_| 0)?;
        Ok(Removed { leaf: Self::leaf_in(&Slot { entry, ..*slot }, gfn), debt: self.debt() })
    }
}
