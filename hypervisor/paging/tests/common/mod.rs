//! A memory for tables on the host: it records every access, can run out of frames, refuses what
//! the engine must not do, and can play the processor between two of the engine's accesses.
#![allow(dead_code)]

use paging::{Gfn, Memory, Mfn};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// One access of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Allocate(Mfn),
    Refused,
    Free(Mfn),
    Read(Mfn, usize, u64),
    Write(Mfn, usize, u64),
    Exchange(Mfn, usize, u64, u64, bool),
}

/// What the processor does just before an exchange: given the word, the word it makes of it.
type Interference = Box<dyn FnMut(Mfn, usize, u64) -> u64>;

#[derive(Default)]
pub struct Recorder {
    frames: RefCell<BTreeMap<u64, [u64; 512]>>,
    freed: RefCell<BTreeSet<u64>>,
    log: RefCell<Vec<Access>>,
    next: Cell<u64>,
    /// Allocations that still succeed.
    pub credit: Cell<u64>,
    interference: RefCell<Option<Interference>>,
}

impl Recorder {
    pub fn new() -> Self {
        Self { next: Cell::new(0x1000), credit: Cell::new(u64::MAX), ..Self::default() }
    }

    pub fn interfere(&self, with: impl FnMut(Mfn, usize, u64) -> u64 + 'static) {
        *self.interference.borrow_mut() = Some(Box::new(with));
    }

    pub fn leave_alone(&self) {
        *self.interference.borrow_mut() = None;
    }

    /// The accesses since the last call.
    pub fn take_log(&self) -> Vec<Access> {
        self.log.borrow_mut().split_off(0)
    }

    /// Frames that are allocated.
    pub fn in_use(&self) -> usize {
        self.frames.borrow().len()
    }

    /// Every word, to compare a tree before and after.
    pub fn snapshot(&self) -> BTreeMap<u64, [u64; 512]> {
        self.frames.borrow().clone()
    }

    /// Reads a word without recording it.
    pub fn peek(&self, table: Mfn, index: usize) -> u64 {
        self.frames.borrow()[&table.0][index]
    }

    /// Stores a word as the processor would.
    pub fn poke(&self, table: Mfn, index: usize, value: u64) {
        self.frames.borrow_mut().get_mut(&table.0).unwrap()[index] = value;
    }

    /// Walks as the processor would, sets the bits, and says whether it came through.
    pub fn touch<F: paging::Format>(&self, root: Mfn, levels: u8, gfn: Gfn, write: bool) -> bool {
        let mut table = root;
        for level in (0..levels).rev() {
            let index = paging::geometry::index(gfn, level);
            let entry = self.peek(table, index);
            if !F::is_present(entry) {
                return false;
            }
            if F::is_leaf(entry, level) {
                if write && !F::access(entry).write {
                    return false;
                }
                let dirty = if write { F::DIRTY } else { 0 };
                self.poke(table, index, entry | F::ACCESSED | dirty);
                return true;
            }
            self.poke(table, index, entry | F::ACCESSED);
            table = F::frame(entry, level);
        }
        unreachable!("level 0 holds only leaves")
    }

    fn word(&self, table: Mfn, index: usize) -> u64 {
        let frames = self.frames.borrow();
        let frame = frames.get(&table.0);
        frame.unwrap_or_else(|| panic!("frame {:#x} is not a table", table.0))[index]
    }
}

impl Memory for Recorder {
    fn allocate(&self) -> Option<Mfn> {
        if self.credit.get() == 0 {
            self.log.borrow_mut().push(Access::Refused);
            return None;
        }
        self.credit.set(self.credit.get() - 1);
        let mfn = self.next.get();
        self.next.set(mfn + 1);
        self.frames.borrow_mut().insert(mfn, [0; 512]);
        self.log.borrow_mut().push(Access::Allocate(Mfn(mfn)));
        Some(Mfn(mfn))
    }

    fn free(&self, table: Mfn) {
        assert!(self.frames.borrow_mut().remove(&table.0).is_some(), "freed twice: {:#x}", table.0);
        assert!(self.freed.borrow_mut().insert(table.0));
        self.log.borrow_mut().push(Access::Free(table));
    }

    fn read(&self, table: Mfn, index: usize) -> u64 {
        let value = self.word(table, index);
        self.log.borrow_mut().push(Access::Read(table, index, value));
        value
    }

    fn write(&self, table: Mfn, index: usize, value: u64) {
        self.word(table, index);
        self.poke(table, index, value);
        self.log.borrow_mut().push(Access::Write(table, index, value));
    }

    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64> {
        let mut found = self.word(table, index);
        if let Some(interference) = self.interference.borrow_mut().as_mut() {
            found = interference(table, index, found);
            self.poke(table, index, found);
        }
        let succeeds = found == old;
        if succeeds {
            self.poke(table, index, new);
        }
        self.log.borrow_mut().push(Access::Exchange(table, index, old, new, succeeds));
        if succeeds { Ok(found) } else { Err(found) }
    }
}
