//! A domain's nested page table in the vendor's format.

use super::spare::Spare;
use super::tables::Tables;
use heapless::Vec;
use paging::{
    Access, Cursor, Ept, FlushDebt, Format, Gfn, LargeExecute, MapError, MemoryType, Mfn, Npt, Size, TableCursor, Tree,
};

/// Levels of every nested table: 48 bits of guest-physical address.
const LEVELS: u8 = 4;

/// The table of the vendor that this machine has.
pub(super) enum Kind {
    /// AMD.
    Npt(Tree<Npt>),
    /// Intel.
    Ept(Tree<Ept>),
}

/// A nested table, and what its large mappings need.
pub struct Nested {
    pub(super) tree: Kind,
    pub(super) spare: Spare,
    /// For splits: paid with the next flush, under the same lock.
    pub(super) owed: FlushDebt,
    /// How often 512 mappings became one.
    pub merges: u64,
    /// How often one became 512.
    pub splits: u64,
}

/// Does the same with the tree of either format.
macro_rules! on {
    ($nested:expr, $tree:ident => $work:expr) => {
        match $nested {
            $crate::memory::nested::Kind::Npt($tree) => $work,
            $crate::memory::nested::Kind::Ept($tree) => $work,
        }
    };
}
pub(super) use on;

impl Nested {
    /// An empty table; `None` if there is no frame.
    pub fn new() -> Option<Self> {
        let tree = match crate::vcpu::vendor() {
            crate::vcpu::Vendor::Svm => Kind::Npt(Tree::new(&Tables, LEVELS, LargeExecute::Allowed)?),
            crate::vcpu::Vendor::Vmx => Kind::Ept(Tree::new(&Tables, LEVELS, LargeExecute::Allowed)?),
        };
        Some(Self { tree, spare: Spare::default(), owed: FlushDebt::nothing(), merges: 0, splits: 0 })
    }

    /// Physical address of the root.
    pub fn root(&self) -> u64 {
        on!(&self.tree, tree => tree.root()).0 << 12
    }

    /// Frames that its tables are in, and those that are kept for splits.
    pub fn tables(&self) -> u64 {
        on!(&self.tree, tree => tree.tables()) + self.spare.len()
    }

    /// Maps with all rights.
    pub fn map(&mut self, gfn: Gfn, mfn: Mfn, size: Size, kind: MemoryType) -> Result<(), MapError> {
        on!(&mut self.tree, tree => tree.map(&Tables, gfn, mfn, size, Access::RWX, kind))
    }

    /// Removes all translations of `leaves`' range and then all tables of `tables`' but the root,
    /// `budget` entries a call; true when done. For address spaces that no vCPU enters any more.
    pub fn clear(&mut self, leaves: &mut Cursor, tables: &mut TableCursor, budget: u32) -> bool {
        on!(&mut self.tree, tree => clear(tree, leaves, tables, budget)) && self.spare.free(budget)
    }

    /// True if the page was written through its translation since its dirty bit was last cleared; or another
    /// page that shares the translation.
    pub fn is_dirty(&self, gfn: Gfn) -> bool {
        on!(&self.tree, tree => tree.lookup(&Tables, gfn)).is_some_and(|leaf| leaf.dirty)
    }

    /// Marks a page as written, as the processor would.
    pub fn set_dirty(&mut self, gfn: Gfn) {
        on!(&mut self.tree, tree => tree.set_dirty(&Tables, gfn));
    }

    /// Tests and clears the accessed bit of a page, which gets a translation of its own; the caller flushes later, by
    /// [`Nested::unmap_batch`].
    pub fn test_and_clear_accessed(&mut self, gfn: Gfn) -> bool {
        // What cannot be split is spared.
        !self.split(gfn) || on!(&self.tree, tree => tree.test_and_clear_accessed(&Tables, gfn)).unwrap_or(false)
    }

    /// Clears the dirty bits of pages, which get translations of their own, and flushes once if any was set; which
    /// ones were.
    pub fn clear_dirty<const N: usize>(&mut self, pages: &[Gfn], flush: impl FnOnce()) -> Vec<bool, N> {
        let mut were = Vec::new();
        for &gfn in pages {
            let alone = self.split(gfn);
            let cleared = alone.then(|| on!(&mut self.tree, tree => tree.test_and_clear_dirty(&Tables, gfn))).flatten();
            let (was, owed) = cleared.unwrap_or((!alone, FlushDebt::nothing()));
            let _ = were.push(was);
            self.owe(owed);
        }
        self.settle(flush);
        were
    }

    /// Unmaps 4 KiB pages, splitting what they are part of, and flushes once. Of each: whether it was dirty; `None`
    /// if it is still mapped (which a bug of ours would be), so that its frame must stay.
    pub fn unmap_batch(&mut self, pages: &[Gfn], flush: impl FnOnce()) -> Vec<Option<bool>, 64> {
        let mut dirty = Vec::new();
        for &gfn in pages {
            let alone = self.split(gfn);
            let removed = on!(&mut self.tree, tree => tree.unmap(&Tables, gfn, Size::Small));
            let _ = dirty.push(match removed {
                Ok(removed) => {
                    self.owe(removed.debt);
                    Some(removed.leaf.dirty)
                }
                Err(paging::ChangeError::Absent) if alone => Some(false),
                Err(_) => None,
            });
        }
        self.settle(flush);
        dirty
    }

    /// Takes on a debt of this tree.
    pub(super) fn owe(&mut self, debt: FlushDebt) {
        // Debts of one tree always join.
        let _ = self.owed.join(&Tables, debt).map_err(|other| other.pay(&Tables, || {}));
    }

    /// Pays what is owed.
    fn settle(&mut self, flush: impl FnOnce()) {
        core::mem::replace(&mut self.owed, FlushDebt::nothing()).pay(&Tables, flush);
    }

    /// Unmaps one page, splitting what it is part of. `flush` makes all CPUs forget the translation
    /// and is called before anything is freed.
    pub fn unmap_small(&mut self, gfn: Gfn, flush: impl FnOnce()) {
        on!(&mut self.tree, tree => unmap_small(tree, gfn, flush));
    }
}

fn unmap_small<F: Format>(tree: &mut Tree<F>, gfn: Gfn, flush: impl FnOnce()) {
    let mut debt = FlushDebt::nothing();
    let mut add = |other: FlushDebt| {
        if let Err(other) = debt.join(&Tables, other) {
            other.pay(&Tables, || {});
        }
    };
    while tree.lookup(&Tables, gfn).is_some_and(|leaf| leaf.size != Size::Small) {
        match tree.split(&Tables, gfn) {
            Ok(other) => add(other),
            Err(_) => break,
        }
    }
    if let Ok(removed) = tree.unmap(&Tables, gfn, Size::Small) {
        add(removed.debt);
    }
    debt.pay(&Tables, flush);
}

fn clear<F: Format>(tree: &mut Tree<F>, leaves: &mut Cursor, tables: &mut TableCursor, budget: u32) -> bool {
    let swept = tree.unmap_range_bounded(&Tables, leaves, budget, |_| {});
    swept.debt.pay(&Tables, || {});
    if swept.progress == paging::Progress::More {
        return false;
    }
    let swept = tree.free_tables_bounded(&Tables, tables, budget);
    swept.debt.pay(&Tables, || {});
    swept.progress != paging::Progress::More
}
