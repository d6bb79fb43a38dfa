//! The map: one word a page.

use super::{Counts, P2mError};
use crate::{Event, PageState, step};
use paging::{Gfn, Memory, Mfn, address::FRAME_SHIFT, geometry};

/// Bits of a guest frame number: 512 GiB of guest-physical addresses.
pub const GFN_BITS: u32 = geometry::TABLE_SHIFT * LEVELS as u32;
pub(super) const LEVELS: u8 = 3;
const PRESENT: u64 = 1;

/// The states of a domain's pages. Dropping it leaks its tables; see [`P2m::dissolve`].
#[derive(Debug)]
pub struct P2m {
    pub(super) root: Mfn,
    pub(super) tables: u64,
    pub(super) counts: Counts,
}

impl P2m {
    /// All pages Absent; `None` if there is no frame for the root.
    #[must_use]
    pub fn new(mem: &(impl Memory + ?Sized)) -> Option<Self> {
        Some(Self { root: mem.allocate()?, tables: 1, counts: Counts::default() })
    }

    /// Pages by state; exact after every call.
    #[must_use]
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Frames that the map itself takes.
    #[must_use]
    pub const fn tables(&self) -> u64 {
        self.tables
    }

    /// First guest frame that a domain cannot have.
    #[must_use]
    pub const fn limit() -> Gfn {
        Gfn(1 << GFN_BITS)
    }

    /// Frame of the root table: what is left to free once the map is empty.
    #[must_use]
    pub const fn root(&self) -> Mfn {
        self.root
    }

    /// A page's state.
    ///
    /// # Errors
    /// The guest frame is out of range, or the map is overwritten.
    pub fn get(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Result<PageState, P2mError> {
        in_range(gfn)?;
        match self.leaf_table(mem, gfn) {
            Some(table) => Ok(PageState::decode(mem.read(table, geometry::index(gfn, 0)))?),
            None => Ok(PageState::Absent),
        }
    }

    /// Stores a page's state and returns the one before. Prefer [`P2m::apply`], which asks
    /// whether that is allowed.
    ///
    /// # Errors
    /// The guest frame is out of range, the state cannot be stored, the map is overwritten, or
    /// there is no frame for a table. Storing never needs a frame where a state other than
    /// Absent is stored already.
    pub fn set(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn, state: PageState) -> Result<PageState, P2mError> {
        let word = state.encode().ok_or(P2mError::Unrepresentable)?;
        let before = self.get(mem, gfn)?;
        let table = match self.leaf_table(mem, gfn) {
            Some(table) => table,
            None if word == 0 => return Ok(before),
            None => self.make_leaf_table(mem, gfn)?,
        };
        mem.write(table, geometry::index(gfn, 0), word);
        self.counts.change(before.kind(), state.kind());
        Ok(before)
    }

    /// Lets an event happen to a page. Returns the state before and after.
    ///
    /// # Errors
    /// The event is forbidden, or as at [`P2m::set`].
    pub fn apply(
        &mut self,
        mem: &(impl Memory + ?Sized),
        gfn: Gfn,
        event: Event,
    ) -> Result<(PageState, PageState), P2mError> {
        let after = step(self.get(mem, gfn)?, event)?;
        Ok((self.set(mem, gfn, after)?, after))
    }

    /// The table of `level` on the way to `gfn` if it is there.
    pub(super) fn table(&self, mem: &(impl Memory + ?Sized), gfn: Gfn, level: u8) -> Option<Mfn> {
        let mut table = self.root;
        for above in (level + 1..LEVELS).rev() {
            let entry = mem.read(table, geometry::index(gfn, above));
            if entry & PRESENT == 0 {
                return None;
            }
            table = Mfn(entry >> FRAME_SHIFT);
        }
        Some(table)
    }

    fn leaf_table(&self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Option<Mfn> {
        self.table(mem, gfn, 0)
    }

    /// Adds the tables that are missing on the way to `gfn`: all or none of them stay.
    fn make_leaf_table(&mut self, mem: &(impl Memory + ?Sized), gfn: Gfn) -> Result<Mfn, P2mError> {
        let leaf = mem.allocate().ok_or(P2mError::NoMemory)?;
        let middle = match self.table(mem, gfn, 1) {
            Some(middle) => middle,
            None => {
                let Some(middle) = mem.allocate() else {
                    mem.free(leaf);
                    return Err(P2mError::NoMemory);
                };
                mem.write(self.root, geometry::index(gfn, 2), link(middle));
                self.tables += 1;
                middle
            }
        };
        mem.write(middle, geometry::index(gfn, 1), link(leaf));
        self.tables += 1;
        Ok(leaf)
    }
}

const fn link(table: Mfn) -> u64 {
    table.0 << FRAME_SHIFT | PRESENT
}

fn in_range(gfn: Gfn) -> Result<(), P2mError> {
    if gfn < P2m::limit() { Ok(()) } else { Err(P2mError::OutOfRange) }
}
