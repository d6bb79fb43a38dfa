//! Changing what a translation allows.

use crate::entry::{Contended, Slot};
use crate::{Access, ChangeError, FlushDebt, Format, Gfn, Leaf, Memory, Size, Tree};

/// A translation whose rights were changed.
#[must_use = "the old rights hold until the debt is paid"]
#[derive(Debug)]
pub struct Protected {
    /// What it was.
    pub before: Leaf,
    /// What is owed; nothing if no right was taken away (a processor that remembers fewer rights
    /// faults, and walks again).
    pub debt: FlushDebt,
}

impl<F: Format> Tree<F> {
    /// Gives the leaf of `size` at `gfn` other rights. Accessed and dirty bits stay.
    ///
    /// # Errors
    /// See [`ChangeError`].
    pub fn protect(
        &mut self,
        mem: &(impl Memory + ?Sized),
        gfn: Gfn,
        size: Size,
        access: Access,
    ) -> Result<Protected, ChangeError> {
        if !access.read {
            return Err(ChangeError::BadAccess);
        }
        if access.execute && self.refuses_execute(size.level()) {
            return Err(ChangeError::ExecutableLarge);
        }
        let slot = self.find(mem, gfn, size)?;
        let entry =
            slot.update::<F>(mem, |entry| F::with_access(entry, access)).map_err(|Contended| ChangeError::Contended)?;
        let before = Self::leaf_in(&Slot { entry, ..slot }, gfn);
        let debt = if access.includes(before.access) { FlushDebt::nothing() } else { self.debt() };
        Ok(Protected { before, debt })
    }
}
