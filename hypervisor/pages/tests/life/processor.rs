//! A processor that remembers translations, with their dirty bit, as real ones do.

use crate::common::Frames;
use paging::{Format, Gfn, Memory, Mfn, Tree, geometry};
use std::collections::BTreeMap;

#[derive(Clone, Copy)]
struct Remembered {
    mfn: Mfn,
    dirty: bool,
}

#[derive(Default)]
pub struct Processor {
    remembered: BTreeMap<Gfn, Remembered>,
}

impl Processor {
    /// The frame that an access goes to; `None` is a fault.
    pub fn access<F: Format>(&mut self, mem: &Frames, tree: &Tree<F>, gfn: Gfn, write: bool) -> Option<Mfn> {
        if let Some(known) = self.remembered.get(&gfn)
            && (known.dirty || !write)
        {
            return Some(known.mfn);
        }
        self.forget(gfn);
        let mut table = tree.root();
        for level in (0..tree.levels()).rev() {
            let index = geometry::index(gfn, level);
            let entry = mem.read(table, index);
            if !F::is_present(entry) {
                return None;
            }
            if F::is_leaf(entry, level) {
                assert!(!write || F::access(entry).write);
                let entry = entry | F::ACCESSED | if write { F::DIRTY } else { 0 };
                mem.write(table, index, entry);
                let mfn = F::frame(entry, level);
                self.remembered.insert(gfn, Remembered { mfn, dirty: entry & F::DIRTY != 0 });
                return Some(mfn);
            }
            table = F::frame(entry, level);
        }
        None
    }

    /// What a vCPU that is in the middle of a loop can still reach without a walk.
    pub fn stale(&self, gfn: Gfn) -> Option<Mfn> {
        self.remembered.get(&gfn).filter(|known| known.dirty).map(|known| known.mfn)
    }

    pub fn forget(&mut self, gfn: Gfn) {
        self.remembered.remove(&gfn);
    }

    pub fn flush(&mut self) {
        self.remembered.clear();
    }

    pub fn remembers(&self, mfn: Mfn) -> bool {
        self.remembered.values().any(|known| known.mfn == mfn)
    }
}
