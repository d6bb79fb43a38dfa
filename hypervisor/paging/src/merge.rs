//! Merging 512 leaves into one of the next larger size.
//!
//! Each part is taken out with a locked exchange, which fixes its accessed and dirty bits: a
//! processor that would set one finds the entry absent, faults, and waits for the tree's lock.
//! Then the table, now empty, is exchanged for the large leaf with all bits or-ed.

use crate::entry::{Contended, Slot};
use crate::{FlushDebt, Format, Gfn, Leaf, Memory, MergeError, Mfn, Size, Tree, address::FRAME_SHIFT, geometry};

impl<F: Format> Tree<F> {
    /// Merges the leaves around `gfn` into one of `size`. Refused unless all 512 are there, are
    /// alike but for accessed and dirty bits, and map contiguous, aligned frames.
    ///
    /// A flush is owed, and the table is freed after it. Until then a processor may hold the
    /// translation in both sizes; both lead to the same frames with the same rights, and what
    /// was written through a small one is marked already.
    ///
    /// # Errors
    /// See [`MergeError`].
    pub fn merge(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn, size: Size) -> Result<FlushDebt, MergeError> {
        let part = size.smaller().ok_or(MergeError::Absent)?;
        if gfn >= self.limit() {
            return Err(MergeError::Absent);
        }
        let slot = self.descend(mem, gfn, size.level());
        if slot.is_leaf::<F>() {
            return Err(MergeError::Merged(Self::leaf_in(&slot, gfn)));
        }
        if !slot.is_table::<F>() {
            return Err(MergeError::Absent);
        }
        let table = F::frame(slot.entry, slot.level);
        let first = self.uniform(mem, table, gfn.align_down(size.frames()), part)?;
        if !first.mfn.is_aligned(size.frames()) {
            return Err(MergeError::Unaligned);
        }
        if first.access.execute && self.refuses_execute(size.level()) {
            return Err(MergeError::ExecutableLarge);
        }
        let base = F::leaf(first.mfn, part, first.access, first.memory_type);
        let step = part.frames() << FRAME_SHIFT;
        let tracking = Self::drain(mem, table, part, base, step)?;
        let leaf = F::leaf(first.mfn, size, first.access, first.memory_type) | tracking;
        if let Err(Contended) = slot.update::<F>(mem, |_| leaf) {
            Self::refill(mem, table, geometry::ENTRIES, base | tracking, step);
            return Err(MergeError::Contended);
        }
        Ok(self.table_debt(mem, table))
    }

    /// The first leaf of a table, if the others continue it.
    fn uniform(&self, mem: &(impl Memory + ?Sized), table: Mfn, gfn: Gfn, part: Size) -> Result<Leaf, MergeError> {
        let first = Self::slot(mem, table, gfn, part.level());
        if !first.is_leaf::<F>() {
            return Err(MergeError::NotUniform(0));
        }
        let mut expected = first.entry & !F::TRACKING;
        for index in 1..geometry::ENTRIES {
            expected += part.frames() << FRAME_SHIFT;
            if mem.read(table, index) & !F::TRACKING != expected {
                return Err(MergeError::NotUniform(index));
            }
        }
        Ok(Self::leaf_in(&first, gfn))
    }

    /// Empties the table and returns all tracking bits or-ed. If it fails the table is as it was,
    /// but that all leaves have the bits that some had.
    fn drain(mem: &(impl Memory + ?Sized), table: Mfn, part: Size, base: u64, step: u64) -> Result<u64, MergeError> {
        let mut tracking = 0;
        let mut entry = base;
        for index in 0..geometry::ENTRIES {
            let slot = Slot { table, index, level: part.level(), entry };
            match slot.update::<F>(mem, |_| 0) {
                Ok(taken) => tracking |= taken & F::TRACKING,
                Err(Contended) => {
                    Self::refill(mem, table, index, base | tracking, step);
                    return Err(MergeError::Contended);
                }
            }
            entry += step;
        }
        Ok(tracking)
    }

    /// Puts the first `count` leaves back.
    fn refill(mem: &(impl Memory + ?Sized), table: Mfn, count: usize, base: u64, step: u64) {
        let mut entry = base;
        for index in 0..count {
            mem.write(table, index, entry);
            entry += step;
        }
    }
}
