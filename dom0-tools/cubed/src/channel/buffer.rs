//! Buffers: runs of dom0's memory that the hypervisor and the kernel's I/O can be pointed at.
//!
//! Invariant: no two live [`Buffer`]s overlap, and each lies in one huge page, so it is
//! physically contiguous. A dropped buffer returns to its pool.

use super::hugepages::HUGE;
use std::cell::RefCell;
use std::rc::Rc;

/// Granularity in bytes: a page.
pub const UNIT: usize = 4096;
const UNITS: usize = HUGE / UNIT;

/// The longest buffer in bytes.
pub const LONGEST: usize = HUGE;

/// Which bytes of the shared memory are free.
#[derive(Debug, Clone)]
pub struct Pool {
    blocks: Rc<RefCell<Vec<Block>>>,
}

#[derive(Debug)]
struct Block {
    physical: u64,
    used: [bool; UNITS],
    free: usize,
}

/// A run of bytes, exclusively the holder's.
#[derive(Debug)]
pub struct Buffer {
    pool: Pool,
    offset: usize,
    len: usize,
    physical: u64,
}

impl Pool {
    /// A pool over huge pages that lie one after the other in the mapping, at these physical addresses.
    #[must_use]
    pub fn new(physical: &[u64]) -> Self {
        let block = |physical: &u64| Block { physical: *physical, used: [false; UNITS], free: UNITS };
        Self { blocks: Rc::new(RefCell::new(physical.iter().map(block).collect())) }
    }

    /// A buffer of at least `len` bytes (a multiple of 4 KiB up to 2 MiB); `None` if that is too
    /// long, or nothing that long is free now.
    #[must_use]
    pub fn take(&self, len: usize) -> Option<Buffer> {
        let units = len.div_ceil(UNIT).max(1);
        if units > UNITS {
            return None;
        }
        let mut blocks = self.blocks.borrow_mut();
        blocks.iter_mut().enumerate().filter(|(_, block)| block.free >= units).find_map(|(i, block)| {
            let first = block.run(units)?;
            block.mark(first, units, true);
            Some(Buffer {
                pool: self.clone(),
                offset: i * HUGE + first * UNIT,
                len: units * UNIT,
                physical: block.physical + (first * UNIT) as u64,
            })
        })
    }

    /// Free bytes, not necessarily in one run.
    #[must_use]
    pub fn free(&self) -> usize {
        self.blocks.borrow().iter().map(|block| block.free * UNIT).sum()
    }

    /// All bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.blocks.borrow().len() * HUGE
    }
}

impl Block {
    fn run(&self, units: usize) -> Option<usize> {
        let mut length = 0;
        for (i, used) in self.used.iter().enumerate() {
            length = if *used { 0 } else { length + 1 };
            if length == units {
                return Some(i + 1 - units);
            }
        }
        None
    }

    fn mark(&mut self, first: usize, units: usize, used: bool) {
        for slot in self.used.iter_mut().skip(first).take(units) {
            *slot = used;
        }
        self.free = if used { self.free - units } else { self.free + units };
    }
}

#[expect(clippy::len_without_is_empty, reason = "a buffer has at least a page")]
impl Buffer {
    /// Length in bytes, a multiple of 4 KiB.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Where the bytes begin in the pool's mapping.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The address to give to the hypervisor.
    #[must_use]
    pub fn physical(&self) -> u64 {
        self.physical
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut blocks = self.pool.blocks.borrow_mut();
        if let Some(block) = blocks.get_mut(self.offset / HUGE) {
            block.mark(self.offset % HUGE / UNIT, self.len / UNIT, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits() {
        let pool = Pool::new(&[0x20_0000]);
        assert!(pool.take(HUGE + 1).is_none());
        let whole = pool.take(HUGE);
        assert!(whole.is_some() && pool.take(1).is_none());
        drop(whole);
        assert_eq!(pool.free(), HUGE);
    }

    proptest! {
        #[test]
        fn buffers_never_overlap_and_all_come_back(steps in prop::collection::vec((1usize..700_000, any::<bool>(), 0usize..8), 1..60)) {
            let pool = Pool::new(&[0x4000_0000, 0x80_0000]);
            let mut held: Vec<Buffer> = Vec::new();
            for (len, take, victim) in steps {
                if take {
                    if let Some(new) = pool.take(len) {
                        prop_assert!(new.len() >= len && new.offset() / HUGE == (new.offset() + new.len() - 1) / HUGE);
                        let base = [0x4000_0000, 0x80_0000][new.offset() / HUGE];
                        prop_assert_eq!(new.physical(), base + (new.offset() % HUGE) as u64);
                        for old in &held {
                            prop_assert!(new.offset() + new.len() <= old.offset() || old.offset() + old.len() <= new.offset());
                        }
                        held.push(new);
                    }
                } else if !held.is_empty() {
                    let victim = victim % held.len();
                    held.swap_remove(victim);
                }
                prop_assert_eq!(pool.free() + held.iter().map(Buffer::len).sum::<usize>(), pool.size());
            }
        }
    }
}
