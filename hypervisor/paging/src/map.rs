//! Adding a translation.
//!
//! Tables that are missing are allocated first and linked to each other while nobody can see
//! them; one store then puts the whole chain into the tree. So a failed allocation leaves no
//! trace, and a processor never sees a half-built path. Nothing is owed: absence is not cached.

use crate::entry::{Contended, Slot};
use crate::{Access, ChangeError, Format, Gfn, Leaf, MapError, Memory, MemoryType, Mfn, Size, Tree, geometry};

impl<F: Format> Tree<F> {
    /// Maps `size` bytes at `gfn` to those at `mfn`, where nothing is mapped.
    ///
    /// # Errors
    /// See [`MapError`]; the tree is unchanged then.
    pub fn map(
        &mut self,
        mem: &(impl Memory + ?Sized),
        gfn: Gfn,
        mfn: Mfn,
        size: Size,
        access: Access,
        memory_type: MemoryType,
    ) -> Result<(), MapError> {
        let leaf = self.encode(gfn, mfn, size, access, memory_type)?;
        let slot = self.descend(mem, gfn, size.level());
        if slot.is_table::<F>() {
            return Err(MapError::TableInTheWay);
        }
        if slot.is_leaf::<F>() {
            return Err(MapError::Occupied(Self::leaf_in(&slot, gfn)));
        }
        self.fill(mem, &slot, gfn, size, leaf)
    }

    /// The word for a leaf, if there may be such a leaf.
    pub(crate) fn encode(
        &self,
        gfn: Gfn,
        mfn: Mfn,
        size: Size,
        access: Access,
        memory_type: MemoryType,
    ) -> Result<u64, MapError> {
        if gfn >= self.limit() {
            return Err(MapError::OutOfRange);
        }
        if !mfn.is_valid() {
            return Err(MapError::BadFrame);
        }
        if !gfn.is_aligned(size.frames()) || !mfn.is_aligned(size.frames()) {
            return Err(MapError::Unaligned);
        }
        if !access.read {
            return Err(MapError::BadAccess);
        }
        if access.execute && self.refuses_execute(size.level()) {
            return Err(MapError::ExecutableLarge);
        }
        Ok(F::leaf(mfn, size, access, memory_type))
    }

    /// Puts `leaf` below the absent `slot`, with the tables in between.
    pub(crate) fn fill(
        &mut self,
        mem: &(impl Memory + ?Sized),
        slot: &Slot,
        gfn: Gfn,
        size: Size,
        leaf: u64,
    ) -> Result<(), MapError> {
        let mut tables = [Mfn(0); geometry::MAX_LEVELS as usize];
        let tables = &mut tables[..usize::from(slot.level - size.level())];
        for n in 0..tables.len() {
            let Some(table) = mem.allocate() else {
                tables[..n].iter().for_each(|&table| mem.free(table));
                return Err(MapError::NoMemory);
            };
            tables[n] = table;
        }
        let mut entry = leaf;
        for (level, &table) in (size.level()..).zip(tables.iter()) {
            mem.write(table, geometry::index(gfn, level), entry);
            entry = F::table(table);
        }
        slot.update::<F>(mem, |_| entry).map_err(|Contended| {
            tables.iter().for_each(|&table| mem.free(table));
            MapError::Contended
        })?;
        self.count_tables(tables.len() as u64);
        Ok(())
    }

    /// Reads a slot that holds a leaf. Only levels that have a [`Size`] hold one; the format
    /// reserves the bit above.
    pub(crate) fn leaf_in(slot: &Slot, gfn: Gfn) -> Leaf {
        Leaf::decode::<F>(slot.entry, gfn, Size::at_level(slot.level).unwrap_or(Size::Huge))
    }

    /// The slot of the leaf of `size` at `gfn`, or why there is none.
    pub(crate) fn find(&self, mem: &(impl Memory + ?Sized), gfn: Gfn, size: Size) -> Result<Slot, ChangeError> {
        if gfn >= self.limit() || !gfn.is_aligned(size.frames()) {
            return Err(ChangeError::Absent);
        }
        let slot = self.descend(mem, gfn, size.level());
        if slot.is_table::<F>() {
            return Err(ChangeError::TableInTheWay);
        }
        if !slot.is_leaf::<F>() {
            return Err(ChangeError::Absent);
        }
        if slot.level != size.level() {
            return Err(ChangeError::OtherSize(Self::leaf_in(&slot, gfn)));
        }
        Ok(slot)
    }
}
