//! Tables that merging made superfluous: kept, so that a split needs no frame when there is none. There are as many as
//! large mappings.

use super::tables::Tables;
use core::cell::Cell;
use paging::{FrameList, Memory, Mfn};

/// The memory that tables of splits come from and tables of merges go to. No other table must come from here: what
/// comes is not zero throughout, and a split fills the whole of it.
#[derive(Default)]
pub struct Spare(Cell<FrameList>);

impl Spare {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.with(|list| list.len())
    }

    /// Gives up to `budget` of them to the pool; true if none is left. No mapping may be split afterwards.
    pub fn free(&self, budget: u32) -> bool {
        (0..budget).any(|_| match self.with(|list| list.pop(&Tables)) {
            Some(table) => {
                Tables.free(table);
                false
            }
            None => true,
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut FrameList) -> T) -> T {
        let mut list = self.0.take();
        let result = work(&mut list);
        self.0.set(list);
        result
    }
}

impl Memory for Spare {
    fn allocate(&self) -> Option<Mfn> {
        self.with(|list| list.pop(&Tables)).or_else(|| Tables.allocate())
    }
    fn free(&self, table: Mfn) {
        self.with(|list| list.push(&Tables, table));
    }
    fn read(&self, table: Mfn, index: usize) -> u64 {
        Tables.read(table, index)
    }
    fn write(&self, table: Mfn, index: usize, value: u64) {
        Tables.write(table, index, value);
    }
    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64> {
        Tables.compare_exchange(table, index, old, new)
    }
}
