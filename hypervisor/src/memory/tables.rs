//! Page tables and tables of page states in frames of the pool.

use super::{direct, frames};
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::{AcqRel, Acquire, Release};
use paging::{Memory, Mfn};

/// The memory that tables are in.
#[derive(Clone, Copy)]
pub struct Tables;

impl Memory for Tables {
    fn allocate(&self) -> Option<Mfn> {
        frames::allocate_table()
    }
    fn free(&self, table: Mfn) {
        frames::free_own(table);
    }
    fn read(&self, table: Mfn, index: usize) -> u64 {
        word(table, index).load(Acquire)
    }
    fn write(&self, table: Mfn, index: usize, value: u64) {
        word(table, index).store(value, Release);
    }
    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64> {
        word(table, index).compare_exchange(old, new, AcqRel, Acquire)
    }
}

fn word(table: Mfn, index: usize) -> &'static AtomicU64 {
    direct::atomic((table.0 << 12) + (index as u64 & 511) * 8)
}
