//! A domain's nested page table in the vendor's format.

use super::tables::Tables;
use heapless::Vec;
use paging::{
    Access, Cursor, Ept, FlushDebt, Format, Gfn, LargeExecute, MapError, MemoryType, Mfn, Npt, Size, TableCursor, Tree,
};

/// Levels of every nested table: 48 bits of guest-physical address.
const LEVELS: u8 = 4;

/// The table of the vendor that this machine has.
pub enum Nested {
    /// AMD.
    Npt(Tree<Npt>),
    /// Intel.
    Ept(Tree<Ept>),
}

impl Nested {
    /// An empty table; `None` if there is no frame.
    pub fn new() -> Option<Self> {
        Some(match crate::vcpu::vendor() {
            crate::vcpu::Vendor::Svm => Self::Npt(Tree::new(&Tables, LEVELS, LargeExecute::Allowed)?),
            crate::vcpu::Vendor::Vmx => Self::Ept(Tree::new(&Tables, LEVELS, LargeExecute::Allowed)?),
        })
    }

    /// Physical address of the root.
    pub fn root(&self) -> u64 {
        let root = match self {
            Self::Npt(tree) => tree.root(),
            Self::Ept(tree) => tree.root(),
        };
        root.0 << 12
    }

    /// Frames that its tables are in.
    pub fn tables(&self) -> u64 {
        match self {
            Self::Npt(tree) => tree.tables(),
            Self::Ept(tree) => tree.tables(),
        }
    }

    /// Maps with all rights.
    pub fn map(&mut self, gfn: Gfn, mfn: Mfn, size: Size, kind: MemoryType) -> Result<(), MapError> {
        match self {
            Self::Npt(tree) => tree.map(&Tables, gfn, mfn, size, Access::RWX, kind),
            Self::Ept(tree) => tree.map(&Tables, gfn, mfn, size, Access::RWX, kind),
        }
    }

    /// Removes all translations of `leaves`' range and then all tables of `tables`' but the root,
    /// `budget` entries a call; true when done. For address spaces that no vCPU enters any more.
    pub fn clear(&mut self, leaves: &mut Cursor, tables: &mut TableCursor, budget: u32) -> bool {
        match self {
            Self::Npt(tree) => clear(tree, leaves, tables, budget),
            Self::Ept(tree) => clear(tree, leaves, tables, budget),
        }
    }

    /// Tests and clears the accessed bit of a page; the caller flushes later.
    pub fn test_and_clear_accessed(&mut self, gfn: Gfn) -> bool {
        match self {
            Self::Npt(tree) => tree.test_and_clear_accessed(&Tables, gfn),
            Self::Ept(tree) => tree.test_and_clear_accessed(&Tables, gfn),
        }
        .unwrap_or(false)
    }

    /// True if the page was written through its translation since its dirty bit was last cleared.
    pub fn is_dirty(&self, gfn: Gfn) -> bool {
        match self {
            Self::Npt(tree) => tree.lookup(&Tables, gfn),
            Self::Ept(tree) => tree.lookup(&Tables, gfn),
        }
        .is_some_and(|leaf| leaf.dirty)
    }

    /// Marks a page as written, as the processor would.
    pub fn set_dirty(&mut self, gfn: Gfn) {
        match self {
            Self::Npt(tree) => tree.set_dirty(&Tables, gfn),
            Self::Ept(tree) => tree.set_dirty(&Tables, gfn),
        }
    }

    /// Clears the dirty bits of pages and flushes once if any was set; which ones were.
    pub fn clear_dirty<const N: usize>(&mut self, pages: &[Gfn], flush: impl FnOnce()) -> Vec<bool, N> {
        match self {
            Self::Npt(tree) => clear_dirty(tree, pages, flush),
            Self::Ept(tree) => clear_dirty(tree, pages, flush),
        }
    }

    /// Unmaps 4 KiB pages and flushes once; which ones were dirty.
    pub fn unmap_batch(&mut self, pages: &[Gfn], flush: impl FnOnce()) -> Vec<bool, 64> {
        match self {
            Self::Npt(tree) => unmap_batch(tree, pages, flush),
            Self::Ept(tree) => unmap_batch(tree, pages, flush),
        }
    }

    /// Unmaps one page, splitting what it is part of. `flush` makes all CPUs forget the translation
    /// and is called before anything is freed.
    pub fn unmap_small(&mut self, gfn: Gfn, flush: impl FnOnce()) {
        match self {
            Self::Npt(tree) => unmap_small(tree, gfn, flush),
            Self::Ept(tree) => unmap_small(tree, gfn, flush),
        }
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

fn clear_dirty<F: Format, const N: usize>(tree: &mut Tree<F>, pages: &[Gfn], flush: impl FnOnce()) -> Vec<bool, N> {
    let mut debt = FlushDebt::nothing();
    let mut were = Vec::new();
    for &gfn in pages {
        let (was, owed) = tree.test_and_clear_dirty(&Tables, gfn).unwrap_or((false, FlushDebt::nothing()));
        let _ = were.push(was);
        // Debts of one tree always join.
        let _ = debt.join(&Tables, owed).map_err(|other| other.pay(&Tables, || {}));
    }
    if debt.is_owed() {
        debt.pay(&Tables, flush);
    }
    were
}

fn unmap_batch<F: Format>(tree: &mut Tree<F>, pages: &[Gfn], flush: impl FnOnce()) -> Vec<bool, 64> {
    let mut debt = FlushDebt::nothing();
    let mut dirty = Vec::new();
    for &gfn in pages {
        let was = tree.unmap(&Tables, gfn, Size::Small).is_ok_and(|removed| {
            // Debts of one tree always join.
            let _ = debt.join(&Tables, removed.debt).map_err(|other| other.pay(&Tables, || {}));
            removed.leaf.dirty
        });
        let _ = dirty.push(was);
    }
    if debt.is_owed() {
        debt.pay(&Tables, flush);
    }
    dirty
}
