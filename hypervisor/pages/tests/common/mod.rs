//! Frames for tables on the host.
#![allow(dead_code)]

use paging::{Memory, Mfn};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Frames {
    frames: RefCell<BTreeMap<u64, Box<[u64; 512]>>>,
    next: Cell<u64>,
    pub credit: Cell<u64>,
    pub reads: Cell<u64>,
}

impl Frames {
    pub fn new() -> Self {
        Self { next: Cell::new(0x100), credit: Cell::new(u64::MAX), ..Self::default() }
    }
    pub fn in_use(&self) -> u64 {
        self.frames.borrow().len() as u64
    }
}

impl Memory for Frames {
    fn allocate(&self) -> Option<Mfn> {
        let credit = self.credit.get().checked_sub(1)?;
        self.credit.set(credit);
        let mfn = self.next.replace(self.next.get() + 1);
        self.frames.borrow_mut().insert(mfn, Box::new([0; 512]));
        Some(Mfn(mfn))
    }
    fn free(&self, table: Mfn) {
        assert!(self.frames.borrow_mut().remove(&table.0).is_some(), "freed twice");
    }
    fn read(&self, table: Mfn, index: usize) -> u64 {
        self.reads.set(self.reads.get() + 1);
        self.frames.borrow()[&table.0][index]
    }
    fn write(&self, table: Mfn, index: usize, value: u64) {
        self.frames.borrow_mut().get_mut(&table.0).unwrap()[index] = value;
    }
    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64> {
        let found = self.read(table, index);
        if found == old {
            self.write(table, index, new);
            Ok(found)
        } else {
            Err(found)
        }
    }
}
