//! Pages coming back, with their neighbours, and pages that nobody needs any more.

use crate::action::{Action, Op, Outcome};
use crate::state::{Loading, Pending};
use crate::{Extent, Map, PageId};
use abi::BlockRef;

impl Map {
    /// A swapped page is needed (`PAGE_IN`). `block`: the reference in the event.
    pub fn page_in(&mut self, page: PageId, block: BlockRef) -> Vec<Action> {
        if self.swapped.get(page).is_none() {
            if self.left.get(page).is_some() {
                // The event crossed our own offer of the page: it is resident.
                return self.finish_call();
            }
            if !(self.recovering && self.is_known(block)) {
                self.emit(Op::PageInFailed { page, block }, Pending::Nothing);
                return self.finish_call();
            }
            self.swapped.insert(page, block);
            self.hold(block);
        }
        self.unsure.remove(&page);
        if let Some(again) = self.moving.get_mut(&page) {
            *again = true;
        } else if let Some(loading) = self.loading.get_mut(&page) {
            loading.again = true;
        } else {
            let tries = self.parked.remove(&page).map_or(0, |p| p.tries);
            self.load(page, true, tries);
            self.load_around(page);
        }
        self.finish_call()
    }

    /// A swapped page's content is needed no more (`RELEASE`).
    pub fn release(&mut self, page: PageId) -> Vec<Action> {
        self.unsure.remove(&page);
        self.parked.remove(&page);
        if let Some(block) = self.swapped.remove(page) {
            self.let_go(block);
        }
        self.finish_call()
    }

    /// Starts to read a page in, from wherever it is now. It was offered `tries` times in vain.
    pub(crate) fn load(&mut self, page: PageId, demanded: bool, tries: u32) {
        let Some(block) = self.swapped.get(page) else {
            return;
        };
        let Some(from) = Extent::of(block) else {
            self.emit(Op::PageInFailed { page, block }, Pending::Nothing);
            return;
        };
        let keep = self.worth_keeping(page, block);
        self.hold(block);
        if block.kind() == BlockRef::DISK {
            self.use_block(block);
        }
        self.loading.insert(page, Loading { demanded, again: false, tries });
        self.emit(Op::Load { page, block, from, keep, demanded }, Pending::Load { page, block, keep });
    }

    /// Offers the neighbours of a page that lie in the same window of the same medium and belong
    /// to the same domain. Slots that a disk refers to are left out: the guest has paged that
    /// content out itself, so it is the least likely to be wanted.
    fn load_around(&mut self, page: PageId) {
        let Some(block) = self.swapped.get(page) else {
            return;
        };
        let window = self.config.read_around;
        if window < 2 {
            return;
        }
        let Some(first) = BlockRef::new(block.kind(), block.unit(), block.block() / window * window) else {
            return;
        };
        let near: Vec<PageId> = self
            .swapped
            .within(first, window)
            .filter(|&(b, p)| {
                p != page && p.domain == page.domain && (b.kind() != BlockRef::SWAP || self.slots.count(b.block()) == 1)
            })
            .map(|(_, p)| p)
            .filter(|&p| !self.in_transit(p))
            .take(usize::try_from(window - 1).unwrap_or(0))
            .collect();
        near.into_iter().for_each(|p| self.load(p, false, 0));
    }

    /// Asked for, being moved, or of unknown whereabouts: nothing else is begun with the page.
    pub(crate) fn in_transit(&self, page: PageId) -> bool {
        self.loading.contains_key(&page)
            || self.parked.contains_key(&page)
            || self.moving.contains_key(&page)
            || self.unsure.contains(&page)
    }

    /// A disk block's name costs nothing; a slot's is kept while others need the slot anyhow or
    /// half of the store is free.
    fn worth_keeping(&self, page: PageId, block: BlockRef) -> bool {
        self.switches_of(page.domain).r2
            && (block.kind() != BlockRef::SWAP
                || self.slots.count(block.block()) > 1
                || self.slots.free() > self.slots.total() / 2)
    }

    pub(crate) fn page_loaded(&mut self, page: PageId, block: BlockRef, keep: bool, outcome: Outcome) {
        let how = self.loading.remove(&page);
        if block.kind() == BlockRef::DISK {
            self.idle(block);
        }
        let Loading { demanded, again, tries } = how.unwrap_or_default();
        match outcome {
            Outcome::Done if self.swapped.get(page) == Some(block) => {
                self.swapped.remove(page);
                self.left.insert(page, block);
                if keep {
                    self.name(page, block);
                }
                self.let_go(block);
                let stats = self.of(page.domain);
                if demanded || again {
                    stats.swap_in += 1;
                } else {
                    stats.swap_in_around += 1;
                }
            }
            Outcome::Failed if demanded || again => {
                self.emit(Op::PageInFailed { page, block }, Pending::Nothing);
            }
            // The offer may have come before the hypervisor knew that it wanted the page.
            Outcome::Declined if again => self.load(page, true, tries),
            Outcome::Declined if demanded => self.park(page, tries),
            Outcome::Done | Outcome::Declined | Outcome::NoRoom | Outcome::Failed => {}
        }
        self.let_go(block);
    }

    /// Remembers that a resident page, while clean, equals this content.
    pub(crate) fn name(&mut self, page: PageId, block: BlockRef) {
        self.hold(block);
        if let Some(old) = self.clean.insert(page, block) {
            self.let_go(old);
        }
    }

    pub(crate) fn unname(&mut self, page: PageId) {
        if let Some(old) = self.clean.remove(page) {
            self.let_go(old);
        }
    }

    /// True if the reference names something that this map has.
    pub(crate) fn is_known(&self, block: BlockRef) -> bool {
        match block.kind() {
            BlockRef::SWAP => block.unit() == crate::map::STORE_UNIT && self.slots.is_alive(block.block()),
            BlockRef::DISK => {
                self.disks.get(&block.unit()).is_some_and(|d| (block.block() + 1) * crate::BLOCK <= d.bytes)
                    && self.refs.current(block.unit(), block.block()).is_none()
            }
            _ => false,
        }
    }
}
