//! Finding a slot when slots are short.

use crate::Map;
use crate::action::Op;
use crate::state::{Pending, Waiter};
use abi::BlockRef;
use abi::event::fail;

/// Names dropped at a time when slots are short.
const NAMES_AT_A_TIME: usize = 256;

/// The answer to a wish for a slot.
pub(crate) enum Room {
    /// This one; its count is 1.
    Slot(u64),
    /// Ask again after the next call.
    Soon,
    /// No operation under way will free one.
    Full,
}

impl Map {
    pub(crate) fn room(&mut self, stream: u32, urgent: bool) -> Room {
        if let Some(slot) = self.slots.take(stream, urgent) {
            return Room::Slot(slot);
        }
        let soon = self.jobs.values().any(|j| !j.released.is_empty()) || self.disks.values().any(|d| d.flush.is_some());
        if self.recovering || self.slots.has_limbo() || soon {
            return Room::Soon;
        }
        self.forget_names();
        if self.slots.has_limbo() || self.commit_all() { Room::Soon } else { Room::Full }
    }

    /// Serves page-outs that wait for slots, and tells starved domains when there is room again.
    pub(crate) fn serve_short(&mut self) {
        while let Some(&page) = self.short.front() {
            match self.room(page.domain, false) {
                Room::Slot(slot) => self.save_page(page, slot),
                Room::Soon => return,
                Room::Full => {
                    self.starved.insert(page.domain);
                    self.emit(Op::PageOutFailed { page, reason: fail::FULL }, Pending::Nothing);
                }
            }
            self.short.pop_front();
        }
        let enough = self.config.reserve + (self.slots.total() / 16).clamp(1, 64);
        if !self.starved.is_empty() && self.slots.free() > enough {
            for domain in std::mem::take(&mut self.starved) {
                self.emit(Op::Retry { domain }, Pending::Nothing);
            }
        }
    }

    /// Lets go of names whose slots nobody else needs.
    fn forget_names(&mut self) {
        let Some(first) = BlockRef::new(BlockRef::SWAP, crate::map::STORE_UNIT, 0) else {
            return;
        };
        let idle: Vec<_> = self
            .clean
            .within(first, self.slots.total())
            .filter(|(block, _)| self.slots.count(block.block()) == 1)
            .take(NAMES_AT_A_TIME)
            .collect();
        for (block, page) in idle {
            self.clean.remove(page);
            self.let_go(block);
        }
    }

    /// Starts commits that may free slots; true if any is under way.
    fn commit_all(&mut self) -> bool {
        let mut any = false;
        for disk in self.disks.keys().copied().collect::<Vec<_>>() {
            let Some(d) = self.disks.get(&disk) else {
                continue;
            };
            if self.refs.tentative(disk) > 0 && !d.commit_failed {
                self.flush_for(disk, Waiter::Map);
                any = true;
            }
        }
        any
    }
}
