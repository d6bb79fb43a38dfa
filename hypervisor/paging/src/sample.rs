//! Testing and clearing the bits that the processor sets.

use crate::entry::{ATTEMPTS, Slot};
use crate::{FlushDebt, Format, Gfn, Memory, Tree};

impl<F: Format> Tree<F> {
    /// Was the leaf that covers `gfn` used since the last call? Clears the bit; `None` if nothing
    /// is mapped there.
    ///
    /// Nothing is owed: a processor that remembers the translation may use the page without
    /// setting the bit again, so an unflushed "no" is a hint, and a hint is all that is promised.
    pub fn test_and_clear_accessed(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Option<bool> {
        self.leaf_slot(mem, gfn).map(|slot| Self::clear(mem, &slot, F::ACCESSED).0)
    }

    /// Was anything written through the leaf that covers `gfn` since the last call? Clears the
    /// bit; `None` if nothing is mapped there.
    ///
    /// If it was set, a flush is owed, and the page counts as clean only from then on: until the
    /// flush a processor may write without setting the bit again.
    pub fn test_and_clear_dirty(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Option<(bool, FlushDebt)> {
        let slot = self.leaf_slot(mem, gfn)?;
        let (was, cleared) = Self::clear(mem, &slot, F::DIRTY);
        Some((was, if cleared { self.debt() } else { FlushDebt::nothing() }))
    }

    /// Sets the dirty bit of the leaf that covers `gfn`, if there is one: somebody wrote the page
    /// without this translation.
    pub fn set_dirty(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn) {
        let Some(slot) = self.leaf_slot(mem, gfn) else { return };
        let mut entry = slot.entry;
        // Only the processor changes the entry beside us, and each of its two bits once.
        for _ in 0..ATTEMPTS {
            match mem.compare_exchange(slot.table, slot.index, entry, entry | F::DIRTY) {
                Ok(_) => return,
                Err(found) => entry = found,
            }
        }
    }

    fn leaf_slot(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Option<Slot> {
        if gfn >= self.limit() {
            return None;
        }
        Some(self.descend(mem, gfn, 0)).filter(Slot::is_leaf::<F>)
    }

    /// (it was set, it was cleared). A bit that cannot be cleared because the entry changes all
    /// the time is reported as set, which is safe to believe.
    fn clear(mem: &(impl Memory + ?Sized), slot: &Slot, bit: u64) -> (bool, bool) {
        let mut entry = slot.entry;
        for _ in 0..ATTEMPTS {
            if entry & bit == 0 {
                return (false, false);
            }
            match mem.compare_exchange(slot.table, slot.index, entry, entry & !bit) {
                Ok(_) => return (true, true),
                Err(found) => entry = found,
            }
        }
        (true, false)
    }
}
