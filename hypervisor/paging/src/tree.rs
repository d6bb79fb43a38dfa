//! The tree itself: a root, its depth, and the way down.

use crate::entry::Slot;
use crate::{Due, FlushDebt, Format, Gfn, Memory, Mfn, geometry};
use core::marker::PhantomData;

/// Whether 2 MiB and 1 GiB leaves may be executable.
///
/// On processors with the machine-check error on page size change (CVE-2018-12207) a guest that
/// executes from a page while it is split or merged can stop the machine. `Refused` makes that
/// impossible: what is executable is 4 KiB and stays so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LargeExecute {
    /// The processor is not affected.
    Allowed,
    /// Executable leaves are 4 KiB only.
    Refused,
}

/// A tree of page tables in the format `F`.
///
/// It does not own a [`Memory`]; every operation is given the one that its tables live in, which
/// must always be the same. A tree that is dropped leaks its tables: see [`Tree::dissolve`].
#[derive(Debug)]
pub struct Tree<F> {
    root: Mfn,
    levels: u8,
    large_execute: LargeExecute,
    /// Counts the debts incurred, so that a proof can say which it covers.
    incurred: u64,
    tables: u64,
    format: PhantomData<fn() -> F>,
}

impl<F: Format> Tree<F> {
    /// An empty tree of 4 or 5 levels; `None` if there is no frame for the root or the format
    /// has no such tree.
    #[must_use]
    pub fn new(mem: &(impl Memory + ?Sized), levels: u8, large_execute: LargeExecute) -> Option<Self> {
        if levels < geometry::MIN_LEVELS || levels > F::MAX_LEVELS {
            return None;
        }
        let root = mem.allocate()?;
        Some(Self { root, levels, large_execute, incurred: 0, tables: 1, format: PhantomData })
    }

    /// The root table, for CR3, nCR3 or the EPT pointer.
    #[must_use]
    pub const fn root(&self) -> Mfn {
        self.root
    }

    /// Depth: 4 or 5.
    #[must_use]
    pub const fn levels(&self) -> u8 {
        self.levels
    }

    /// First guest frame that the tree cannot name.
    #[must_use]
    pub const fn limit(&self) -> Gfn {
        geometry::limit(self.levels)
    }

    /// Frames that the tree's tables are in, the root among them. One that is in a debt counts no more.
    #[must_use]
    pub const fn tables(&self) -> u64 {
        self.tables
    }

    /// What a flush that starts now will have covered when it is done.
    pub const fn due(&self) -> Due {
        Due::new(self.root, self.incurred)
    }

    /// Ends an empty tree. The root is in the debt, to be freed after a flush.
    ///
    /// # Errors
    /// The tree, if it is not empty: unmap, then free the tables, first.
    pub fn dissolve(mut self, mem: &(impl Memory + ?Sized)) -> Result<FlushDebt, Self> {
        if !self.is_empty_table(mem, self.root) {
            return Err(self);
        }
        Ok(self.table_debt(mem, self.root))
    }

    /// A debt for a change that was just made.
    pub(crate) fn debt(&mut self) -> FlushDebt {
        self.incurred += 1;
        FlushDebt::new(self.root, self.incurred)
    }

    /// A debt for a table that was just taken out.
    pub(crate) fn table_debt(&mut self, mem: &(impl Memory + ?Sized), table: Mfn) -> FlushDebt {
        self.tables -= 1;
        let mut debt = self.debt();
        debt.add_table(mem, table);
        debt
    }

    /// Tables were put in.
    pub(crate) const fn count_tables(&mut self, more: u64) {
        self.tables += more;
    }

    /// True if an executable leaf of this level must not be.
    pub(crate) fn refuses_execute(&self, level: u8) -> bool {
        level > 0 && self.large_execute == LargeExecute::Refused
    }

    /// Goes down towards `gfn`, as far as there are tables, but not below `level`.
    /// `gfn` must be below [`Tree::limit`].
    pub(crate) fn descend(&self, mem: &(impl Memory + ?Sized), gfn: Gfn, level: u8) -> Slot {
        let mut slot = Self::slot(mem, self.root, gfn, self.levels - 1);
        while slot.level > level && slot.is_table::<F>() {
            slot = Self::slot(mem, F::frame(slot.entry, slot.level), gfn, slot.level - 1);
        }
        slot
    }

    /// The word for `gfn` in a table of `level`.
    pub(crate) fn slot(mem: &(impl Memory + ?Sized), table: Mfn, gfn: Gfn, level: u8) -> Slot {
        let index = geometry::index(gfn, level);
        Slot { table, index, level, entry: mem.read(table, index) }
    }

    /// True if no entry of the table is present.
    pub(crate) fn is_empty_table(&self, mem: &(impl Memory + ?Sized), table: Mfn) -> bool {
        (0..geometry::ENTRIES).all(|index| !F::is_present(mem.read(table, index)))
    }
}
