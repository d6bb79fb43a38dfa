//! What a guest does, driven by the test.

use super::model::{Cell, Frame, Live, Model, PageState, Used, zero};
use crate::channel::Event;
use abi::BlockRef;
use abi::domain::DomainFlags;

/// A piece of a request that the guest puts into a virtqueue.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Bytes somewhere (readable), or that many bytes of room (writable).
    Bytes(Vec<u8>),
    /// A whole page.
    Page(u64),
}

impl Model {
    /// The guest puts a request into a virtqueue. `None`: a page must be read in first; ask again.
    pub fn request(&mut self, id: u32, slot: u32, queue: u32, readable: &[Piece], writable: &[Piece]) -> Option<u64> {
        let pages = |pieces: &[Piece]| -> Vec<u64> {
            pieces.iter().filter_map(|p| if let Piece::Page(gfn) = p { Some(*gfn) } else { None }).collect()
        };
        let flags = self.domain(id).flags;
        let mut ready = true;
        for (gfns, by_name) in [(pages(readable), DomainFlags::R1), (pages(writable), DomainFlags::R3)] {
            for gfn in gfns {
                let swapped = matches!(self.domain(id).pages.get(&gfn), Some(PageState::Swapped(_)));
                ready &= swapped && flags.contains(by_name) || self.touch(id, gfn);
            }
        }
        if !ready {
            return None;
        }
        let readable = readable.iter().map(|piece| self.readable(id, piece)).collect();
        let writable = writable.iter().map(|piece| self.writable(id, piece)).collect();
        let name = self.next_request;
        self.next_request += 1;
        self.domain(id).requests.insert(name, Live { slot, queue, readable, writable, posted: false });
        self.post(id, name);
        Some(name)
    }

    /// The guest stores a whole page. False: the page must be read in first; ask again.
    pub fn store(&mut self, id: u32, gfn: u64, bytes: &Frame) -> bool {
        if !self.touch(id, gfn) {
            return false;
        }
        let domain = self.domain(id);
        domain.pages.insert(gfn, PageState::Resident { frame: bytes.clone(), named: false });
        for live in domain.requests.values_mut() {
            for cell in live.readable.iter_mut().chain(&mut live.writable) {
                if let Cell::Page { gfn: page, changed, .. } = cell {
                    *changed |= *page == gfn;
                }
            }
        }
        true
    }

    /// The guest loads a whole page. `None`: it must be read in first; ask again.
    pub fn load_page(&mut self, id: u32, gfn: u64) -> Option<Frame> {
        if !self.touch(id, gfn) {
            return None;
        }
        match self.domain(id).pages.get(&gfn) {
            Some(PageState::Resident { frame, .. }) => Some(frame.clone()),
            _ => Some(zero()),
        }
    }

    /// The guest gives a page back (balloon, free page reporting).
    pub fn discard(&mut self, id: u32, gfn: u64) {
        if let Some(PageState::Swapped(block)) = self.domain(id).pages.get(&gfn).cloned() {
            self.domain(id).pages.remove(&gfn);
            if self.attached {
                self.events.push_back(Event::Release { domain: id, page: gfn, block });
            }
        }
    }

    /// The answer to a request, once.
    pub fn answer(&mut self, id: u32, name: u64) -> Option<Used> {
        self.domain(id).used.remove(&name)
    }

    /// True if the page is in memory now, or never was touched; otherwise it is asked for. A
    /// touch cancels a live page-out.
    pub fn touch(&mut self, id: u32, gfn: u64) -> bool {
        match self.domain(id).pages.get(&gfn).cloned() {
            None | Some(PageState::Resident { .. }) => true,
            Some(PageState::Leaving { frame, clean }) => {
                self.domain(id).pages.insert(gfn, PageState::Resident { frame, named: clean });
                true
            }
            Some(PageState::Coming(_)) => false,
            Some(PageState::Swapped(block)) => {
                self.domain(id).pages.insert(gfn, PageState::Coming(block));
                if self.attached {
                    self.events.push_back(Event::PageIn { domain: id, page: gfn, block });
                }
                false
            }
        }
    }

    /// vCPUs that waited for a page run again: the model's tests ask again by themselves.
    pub fn wake(&mut self, _id: u32) {}

    fn readable(&mut self, id: u32, piece: &Piece) -> Cell {
        match piece {
            Piece::Bytes(bytes) => Cell::Bytes(bytes.clone()),
            Piece::Page(gfn) => match self.domain(id).pages.get(gfn) {
                Some(PageState::Swapped(block)) => Cell::Reference { gfn: *gfn, block: *block },
                None => Cell::Zero { gfn: *gfn },
                Some(_) => Cell::Page { gfn: *gfn, drops: BlockRef::NONE, changed: false },
            },
        }
    }

    fn writable(&mut self, id: u32, piece: &Piece) -> Cell {
        match piece {
            Piece::Bytes(bytes) => Cell::Bytes(bytes.clone()),
            Piece::Page(gfn) => {
                let pages = &mut self.domain(id).pages;
                let drops = match pages.get(gfn) {
                    Some(PageState::Swapped(block)) => *block,
                    _ => BlockRef::NONE,
                };
                if !drops.is_none() || !pages.contains_key(gfn) {
                    pages.insert(*gfn, PageState::Resident { frame: zero(), named: false });
                }
                Cell::Page { gfn: *gfn, drops, changed: false }
            }
        }
    }
}
