//! Splitting a leaf into 512 of the next smaller size.
//!
//! The table is filled before anybody can see it. The processor may set a bit in the large leaf
//! meanwhile; then the exchange fails, and the table is filled again from the new word. It can
//! set two bits, so the number of tries is bounded (XSA-246 was one that was not).

use crate::entry::{ATTEMPTS, Slot};
use crate::{FlushDebt, Format, Gfn, Memory, Mfn, Size, SplitError, Tree, geometry};

impl<F: Format> Tree<F> {
    /// Splits the leaf that covers `gfn`. The parts inherit its rights, its memory type, and its
    /// accessed and dirty bits.
    ///
    /// A flush is owed: until then a processor may hold the translation in both sizes, and use
    /// the large one without marking the part that it uses (but that is marked already).
    ///
    /// # Errors
    /// See [`SplitError`].
    pub fn split(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Result<FlushDebt, SplitError> {
        if gfn >= self.limit() {
            return Err(SplitError::Absent);
        }
        let slot = self.descend(mem, gfn, 0);
        if !slot.is_leaf::<F>() {
            return Err(SplitError::Absent);
        }
        let whole = Self::leaf_in(&slot, gfn);
        let part = whole.size.smaller().ok_or(SplitError::Small)?;
        let table = mem.allocate().ok_or(SplitError::NoMemory)?;
        let first = F::leaf(whole.mfn, part, whole.access, whole.memory_type);
        if Self::install(mem, &slot, table, first, part) {
            self.count_tables(1);
            Ok(self.debt())
        } else {
            mem.free(table);
            Err(SplitError::Contended)
        }
    }

    /// Fills `table` and puts it in the slot's place; false if that did not succeed.
    fn install(mem: &(impl Memory + ?Sized), slot: &Slot, table: Mfn, first: u64, part: Size) -> bool {
        let mut entry = slot.entry;
        for _ in 0..ATTEMPTS {
            let mut word = first | entry & F::TRACKING;
            for index in 0..geometry::ENTRIES {
                mem.write(table, index, word);
                word += part.frames() << crate::address::FRAME_SHIFT;
            }
            match mem.compare_exchange(slot.table, slot.index, entry, F::table(table)) {
                Ok(_) => return true,
                Err(found) if (found ^ entry) & !F::TRACKING != 0 => return false,
                Err(found) => entry = found,
            }
        }
        false
    }
}
