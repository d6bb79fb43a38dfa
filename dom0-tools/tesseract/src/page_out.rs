//! Pages leaving memory.

use crate::action::{Action, Op, Outcome};
use crate::map::slot_ref;
use crate::state::Pending;
use crate::{BLOCK, BLOCK_LEN, Extent, Map, PageId, Piece, Source};
use abi::BlockRef;
use abi::event::fail;

impl Map {
    /// A page wants to leave (`PAGE_OUT`). `clean`: unchanged since the map last named its content.
    pub fn page_out(&mut self, page: PageId, clean: bool) -> Vec<Action> {
        self.parked.remove(&page);
        if let Some(stale) = self.swapped.remove(page) {
            // The hypervisor's word counts: the page is resident.
            self.let_go(stale);
        }
        let name = self.clean.remove(page);
        match name {
            Some(block) if clean && self.switches_of(page.domain).r2 => {
                if block.kind() == BlockRef::DISK {
                    self.use_block(block);
                }
                self.emit(Op::PageOutDone { page, block }, Pending::PageOut { page, block, named: true });
            }
            _ => {
                if let Some(block) = name {
                    self.let_go(block);
                }
                self.short.push_back(page);
            }
        }
        self.finish_call()
    }

    pub(crate) fn save_page(&mut self, page: PageId, slot: u64) {
        let pieces = vec![Piece { len: BLOCK_LEN, source: Source::Page(page) }];
        self.emit(Op::Write { to: Extent::slot(slot), pieces }, Pending::SavePage { page, slot });
    }

    pub(crate) fn page_saved(&mut self, page: PageId, slot: u64, outcome: Outcome) {
        match outcome {
            Outcome::Done => {
                self.of(page.domain).swap_out_bytes += BLOCK;
                self.unpause(page.domain);
                let block = slot_ref(slot);
                self.emit(Op::PageOutDone { page, block }, Pending::PageOut { page, block, named: false });
            }
            Outcome::Declined => self.slots.let_go(slot),
            Outcome::NoRoom => {
                self.slots.let_go(slot);
                self.emit(Op::PageOutFailed { page, reason: fail::FULL }, Pending::Nothing);
                self.pause(page.domain);
            }
            Outcome::Failed => {
                self.slots.condemn(slot);
                self.totals.broken += 1;
                self.emit(Op::PageOutFailed { page, reason: fail::IO }, Pending::Nothing);
                self.pause(page.domain);
            }
        }
    }

    pub(crate) fn page_is_out(&mut self, page: PageId, block: BlockRef, named: bool, outcome: Outcome) {
        if block.kind() == BlockRef::DISK {
            self.idle(block);
        }
        if outcome != Outcome::Done {
            self.let_go(block);
            return;
        }
        if let Some(stale) = self.swapped.insert(page, block) {
            self.let_go(stale);
        }
        self.of(page.domain).r2_drops += u64::from(named);
    }
}
