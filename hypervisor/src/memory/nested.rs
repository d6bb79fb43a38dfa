//! A domain's nested page table in the vendor's format.

use super::frames::Tables;
use paging::{Access, Cursor, Ept, FlushDebt, Format, Gfn, LargeExecute, MapError, MemoryType, Mfn, Npt, Size, TableCursor, Tree};

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

    /// Maps with all rights.
    pub fn map(&mut self, gfn: Gfn, mfn: Mfn, size: Size, kind: MemoryType) -> Result<(), MapError> {
        match self {
            Self::Npt(tree) => tree.map(&Tables, gfn, mfn, size, Access::RWX, kind),
            Self::Ept(tree) => tree.map(&Tables, gfn, mfn, size, Access::RWX, kind),
        }
    }

    /// Removes all translations below `end` and then all tables but the root, `budget` entries a
    /// call; true when done. For address spaces that no vCPU enters any more.
    pub fn clear(&mut self, end: Gfn, budget: u32) -> bool {
        match self {
            Self::Npt(tree) => clear(tree, end, budget),
            Self::Ept(tree) => clear(tree, end, budget),
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

fn clear<F: Format>(tree: &mut Tree<F>, end: Gfn, budget: u32) -> bool {
    let mut cursor = Cursor::new(Gfn(0)..end);
    let swept = tree.unmap_range_bounded(&Tables, &mut cursor, budget, |_| {});
    swept.debt.pay(&Tables, || {});
    if swept.progress == paging::Progress::More {
        return false;
    }
    let mut cursor = TableCursor::new(Gfn(0)..end);
    let swept = tree.free_tables_bounded(&Tables, &mut cursor, budget);
    swept.debt.pay(&Tables, || {});
    swept.progress != paging::Progress::More
}
