//! Pages leaving memory and coming back: events to the map.

use super::Disks;
use abi::BlockRef;
use tesseract::{PageId, Switches};

impl Disks {
    /// A page shall leave memory.
    pub fn page_out(&mut self, domain: u32, page: u64, clean: bool) {
        let actions = self.map.page_out(PageId { domain, page }, clean);
        self.take(actions);
    }

    /// A swapped page is needed.
    pub fn page_in(&mut self, domain: u32, page: u64, block: BlockRef) {
        let actions = self.map.page_in(PageId { domain, page }, block);
        self.take(actions);
    }

    /// A swapped page's content is needed no more.
    pub fn release(&mut self, domain: u32, page: u64) {
        let actions = self.map.release(PageId { domain, page });
        self.take(actions);
    }

    /// A page that the hypervisor lists as swapped, before the first events. False: its content is lost.
    pub fn restore_page(&mut self, domain: u32, page: u64, block: BlockRef) -> bool {
        self.map.restore_page(PageId { domain, page }, block)
    }

    /// Which reconciliations a domain wants.
    pub fn set_switches(&mut self, domain: u32, switches: protocol::Reconcile) {
        let protocol::Reconcile { r1, r2, r3 } = switches;
        self.map.set_switches(domain, Switches { r1, r2, r3 });
    }

    /// A domain is gone: none of its requests is answered any more, its pages refer to nothing; its disks go when nothing refers to the store.
    pub fn forget(&mut self, domain: u32) {
        self.live.retain(|request, _| request.domain != domain);
        let actions = self.map.domain_gone(domain);
        self.take(actions);
        for unit in self.media.leave(domain) {
            self.retire(unit);
        }
    }
}
