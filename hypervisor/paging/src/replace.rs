//! Exchanging a translation for another in one step.

use crate::entry::{Contended, Slot};
use crate::{Access, FlushDebt, Format, Gfn, Leaf, MapError, Memory, MemoryType, Mfn, Size, Tree};

/// What stood where the new translation is.
#[must_use = "the old frame must not be reused before the debt is paid"]
#[derive(Debug)]
pub struct Replaced {
    /// The old leaf, of the same size, with its final accessed and dirty bits.
    pub old: Option<Leaf>,
    /// What is owed for it, or for an empty table that was there.
    pub debt: FlushDebt,
}

impl<F: Format> Tree<F> {
    /// Like [`Tree::map`], but a leaf of the same size, or an empty table, gives way.
    ///
    /// # Errors
    /// See [`MapError`]; a leaf of another size does not give way.
    pub fn replace(
        &mut self,
        mem: &(impl Memory + ?Sized),
        gfn: Gfn,
        mfn: Mfn,
        size: Size,
        access: Access,
        memory_type: MemoryType,
    ) -> Result<Replaced, MapError> {
        let leaf = self.encode(gfn, mfn, size, access, memory_type)?;
        let slot = self.descend(mem, gfn, size.level());
        if slot.is_table::<F>() {
            let table = F::frame(slot.entry, slot.level);
            if !self.is_empty_table(mem, table) {
                return Err(MapError::TableInTheWay);
            }
            slot.update::<F>(mem, |_| leaf).map_err(|Contended| MapError::Contended)?;
            return Ok(Replaced { old: None, debt: self.table_debt(mem, table) });
        }
        if !slot.is_leaf::<F>() {
            self.fill(mem, &slot, gfn, size, leaf)?;
            return Ok(Replaced { old: None, debt: FlushDebt::nothing() });
        }
        if slot.level != size.level() {
            return Err(MapError::Occupied(Self::leaf_in(&slot, gfn)));
        }
        let entry = slot.update::<F>(mem, |_| leaf).map_err(|Contended| MapError::Contended)?;
        Ok(Replaced { old: Some(Self::leaf_in(&Slot { entry, ..slot }, gfn)), debt: self.debt() })
    }
}
