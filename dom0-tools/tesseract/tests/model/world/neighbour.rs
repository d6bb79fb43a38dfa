//! A domain that does nothing but hold slots of the store.

use super::World;
use tesseract::{Action, Op, Outcome, PageId};

const DOMAIN: u32 = 2;

impl World {
    /// It comes, with so many swapped pages.
    pub fn neighbour_comes(&mut self, pages: u64) {
        for page in (0..pages).map(|page| PageId { domain: DOMAIN, page }) {
            let saved = self.map.page_out(page, false);
            for Action { id, .. } in saved {
                for Action { id, op } in self.map.complete(id, Outcome::Done) {
                    let Op::PageOutDone { block, .. } = op else { panic!("{op:?}") };
                    self.map.complete(id, Outcome::Done);
                    self.neighbour.push((page, block));
                }
            }
        }
    }

    /// A new daemon is told of its pages.
    pub(super) fn neighbour_stays(&mut self) {
        for (page, block) in &self.neighbour {
            assert!(self.map.restore_page(*page, *block), "{page:?}: {block:?} unknown");
        }
    }

    /// It goes. False: it was not there.
    pub(super) fn neighbour_goes(&mut self) -> bool {
        let was = !self.neighbour.is_empty();
        self.neighbour.clear();
        let actions = self.map.domain_gone(DOMAIN);
        self.take(actions);
        was
    }
}
