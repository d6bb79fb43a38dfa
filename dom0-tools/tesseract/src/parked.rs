//! Pages that guests wait for and that the hypervisor could not take: offered again, ever more seldom.

use crate::backoff::pause;
use crate::{Map, PageId};

/// Doublings at most: 160 ms.
const DOUBLINGS: u32 = 4;

/// A page that waits to be offered again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parked {
    /// Offers so far.
    pub(crate) tries: u32,
    /// When, by [`Map::set_time`].
    pub(crate) due: u64,
}

impl Map {
    /// No frame is free, or the domain is ending.
    pub(crate) fn park(&mut self, page: PageId, tries: u32) {
        if self.swapped.get(page).is_some() {
            let due = self.now + pause(tries, DOUBLINGS);
            self.parked.insert(page, Parked { tries: tries.saturating_add(1), due });
        }
    }

    /// Reads those in whose time has come.
    pub(crate) fn serve_parked(&mut self) {
        let due: Vec<_> = self.parked.iter().filter(|(_, p)| p.due <= self.now).map(|(page, p)| (*page, *p)).collect();
        for (page, Parked { tries, .. }) in due {
            self.parked.remove(&page);
            if let Some(again) = self.moving.get_mut(&page) {
                *again = true;
            } else if let Some(loading) = self.loading.get_mut(&page) {
                loading.again = true;
            } else {
                self.load(page, true, tries);
            }
        }
    }
}
