//! The model's page-outs and page-ins.

use super::channel::Memory;
use super::model::{Model, PageState, zero};
use crate::channel::Event;
use abi::command::page_in;
use abi::domain::{SwappedPage, reason, state};
use abi::{BlockRef, Error};
use zerocopy::IntoBytes;

impl Model {
    /// The hypervisor chooses a victim. False if the page cannot leave now.
    pub fn page_out(&mut self, id: u32, gfn: u64) -> bool {
        let domain = self.domain(id);
        let busy = domain.requests.values().any(|live| {
            live.readable.iter().chain(&live.writable).any(|cell| match cell {
                super::model::Cell::Page { gfn: page, .. } => *page == gfn,
                _ => false,
            })
        });
        if busy || !domain.reclaim {
            return false;
        }
        let r2 = domain.flags.contains(abi::domain::DomainFlags::R2);
        let Some(PageState::Resident { frame, named }) = domain.pages.get(&gfn).cloned() else { return false };
        if frame.iter().all(|byte| *byte == 0) {
            domain.pages.remove(&gfn);
            return true;
        }
        let clean = named && r2;
        domain.pages.insert(gfn, PageState::Leaving { frame, clean });
        if self.attached {
            self.events.push_back(Event::PageOut { domain: id, page: gfn, clean });
        }
        true
    }

    pub fn copy_page(&mut self, id: u32, gfn: u64, buffer: u64, memory: &Memory) -> Result<u64, Error> {
        match self.find(id)?.pages.get(&gfn) {
            Some(PageState::Leaving { frame, .. }) => {
                memory.write(buffer, frame.as_slice()).ok_or(Error::BadBuffer)?;
                Ok(4096)
            }
            _ => Err(Error::Cancelled),
        }
    }

    pub fn page_out_done(&mut self, id: u32, gfn: u64, word: u64) -> Result<u64, Error> {
        let block = BlockRef::check(word).ok_or(Error::Invalid)?;
        let domain = self.find(id)?;
        match domain.pages.get(&gfn) {
            Some(PageState::Leaving { .. }) => {
                domain.pages.insert(gfn, PageState::Swapped(block));
                Ok(0)
            }
            _ => Err(Error::Cancelled),
        }
    }

    pub fn page_out_failed(&mut self, id: u32, gfn: u64) -> Result<u64, Error> {
        let domain = self.find(id)?;
        let Some(PageState::Leaving { frame, clean }) = domain.pages.get(&gfn).cloned() else {
            return Err(Error::Cancelled);
        };
        domain.pages.insert(gfn, PageState::Resident { frame, named: clean });
        domain.reclaim = false;
        self.failed += 1;
        Ok(0)
    }

    pub fn page_in_done(
        &mut self,
        id: u32,
        gfn: u64,
        word: u64,
        buffer: u64,
        flags: u64,
        memory: &Memory,
    ) -> Result<u64, Error> {
        let block = BlockRef::check(word).ok_or(Error::Invalid)?;
        let bytes = memory.read(buffer, 4096).ok_or(Error::BadBuffer)?;
        let no_frames = self.no_frames;
        let domain = self.find(id)?;
        match domain.pages.get(&gfn) {
            Some(PageState::Swapped(held) | PageState::Coming(held)) if *held == block => {
                if no_frames {
                    return Err(Error::NoMemory);
                }
                let mut frame = zero();
                frame.copy_from_slice(&bytes);
                domain.pages.insert(gfn, PageState::Resident { frame, named: flags & page_in::KEEP != 0 });
                self.wake(id);
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    pub fn page_in_failed(&mut self, id: u32, gfn: u64, _block: u64) -> Result<u64, Error> {
        self.find(id)?;
        self.end(id, reason::STORE_ERROR, gfn);
        Ok(0)
    }

    pub fn list_swapped(
        &mut self,
        id: u32,
        first: u64,
        buffer: u64,
        entries: u64,
        memory: &Memory,
    ) -> Result<(u64, u64), Error> {
        let domain = self.find(id)?;
        let mut list = Vec::new();
        let mut next = u64::MAX;
        for (looked, (page, state)) in domain.pages.range(first..).enumerate() {
            // Few at a time, and fewer than there is room for.
            if list.len() as u64 == entries || looked == 5 {
                next = *page;
                break;
            }
            // Pages whose page-in is live are told by the event that comes again, not here.
            if let PageState::Swapped(block) = state {
                list.push(SwappedPage { page: *page, block: *block });
            }
        }
        memory.write(buffer, list.as_bytes()).ok_or(Error::BadBuffer)?;
        Ok((list.len() as u64, next))
    }

    pub fn move_reference(&mut self, id: u32, gfn: u64, old: u64, new: u64) -> Result<u64, Error> {
        let new = BlockRef::check(new).ok_or(Error::Invalid)?;
        match self.find(id)?.pages.get_mut(&gfn) {
            Some(PageState::Swapped(block)) if block.0 == old => {
                *block = new;
                Ok(0)
            }
            _ => Err(Error::NotFound),
        }
    }

    /// The domain ends.
    pub fn end(&mut self, id: u32, reason: u32, detail: u64) {
        let domain = self.domain(id);
        domain.state = state::ENDED;
        domain.reason = reason;
        domain.detail = detail;
        if self.attached {
            self.events.push_back(Event::State { domain: id, state: state::ENDED, reason });
        }
    }
}
