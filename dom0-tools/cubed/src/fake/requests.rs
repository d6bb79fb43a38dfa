//! The model's virtqueue requests: posting, copying, completing.

use super::channel::Memory;
use super::model::{Cell, Live, Model, PageState, Used};
use crate::channel::{Event, Request};
use abi::command::complete;
use abi::domain::state;
use abi::event::{HEADER_BYTES, Segment, segment};
use abi::{BlockRef, Error};

impl Model {
    /// Everything that is live is posted again, oldest first.
    pub fn attach(&mut self) {
        assert!(!self.attached, "a second daemon attached");
        self.attached = true;
        self.events.clear();
        let mut requests = Vec::new();
        for (id, domain) in &mut self.domains {
            for (name, live) in &mut domain.requests {
                live.posted = false;
                requests.push((*name, *id));
            }
        }
        requests.sort_unstable();
        for (name, domain) in requests {
            self.post(domain, name);
        }
        let mut again = Vec::new();
        for (id, domain) in &self.domains {
            for (page, state) in &domain.pages {
                match state {
                    PageState::Leaving { clean, .. } => {
                        again.push(Event::PageOut { domain: *id, page: *page, clean: *clean });
                    }
                    PageState::Coming(block) => {
                        again.push(Event::PageIn { domain: *id, page: *page, block: *block });
                    }
                    _ => {}
                }
            }
            if domain.state == state::ENDED {
                again.push(Event::State { domain: *id, state: state::ENDED, reason: domain.reason });
            }
        }
        self.events.extend(again);
    }

    /// Posts a request unless it is posted already.
    pub fn post(&mut self, domain: u32, name: u64) {
        let attached = self.attached;
        let live = self.domain(domain).requests.get_mut(&name).expect("the request is live");
        if !attached || live.posted {
            return;
        }
        live.posted = true;
        let live = live.clone();
        let event = describe(domain, name, &live, self);
        self.events.push_back(Event::Request(event));
    }

    pub fn copy_out(
        &mut self,
        domain: u32,
        name: u64,
        offset: u64,
        buffer: u64,
        len: u64,
        memory: &Memory,
    ) -> Result<u64, Error> {
        let live = self.find(domain)?.requests.get(&name).cloned().ok_or(Error::NotFound)?;
        let all = self.contents(domain, &live.readable);
        let bytes = range(&all, offset, len)?;
        memory.write(buffer, &all[bytes]).ok_or(Error::BadBuffer)?;
        Ok(len)
    }

    pub fn copy_in(
        &mut self,
        domain: u32,
        name: u64,
        offset: u64,
        buffer: u64,
        len: u64,
        memory: &Memory,
    ) -> Result<u64, Error> {
        let live = self.find(domain)?.requests.get(&name).cloned().ok_or(Error::NotFound)?;
        let mut all = self.contents(domain, &live.writable);
        let bytes = range(&all, offset, len)?;
        let new = memory.read(buffer, bytes.len()).ok_or(Error::BadBuffer)?;
        all[bytes].copy_from_slice(&new);
        let mut at = 0;
        let domain = self.find(domain)?;
        let live = domain.requests.get_mut(&name).ok_or(Error::NotFound)?;
        for cell in &mut live.writable {
            let part = &all[at..at + cell.len()];
            at += part.len();
            match cell {
                Cell::Bytes(bytes) => bytes.copy_from_slice(part),
                Cell::Page { gfn, .. } => {
                    if let Some(PageState::Resident { frame, named }) = domain.pages.get_mut(gfn)
                        && frame.as_slice() != part
                    {
                        frame.copy_from_slice(part);
                        *named = false;
                    }
                }
                _ => panic!("a writable cell is in memory"),
            }
        }
        Ok(len)
    }

    pub fn complete(&mut self, domain: u32, name: u64, written: u64, flags: u64) -> Result<u64, Error> {
        if let Some(error) = self.complete_error {
            return Err(error);
        }
        let domain = self.find(domain)?;
        let live = domain.requests.remove(&name).ok_or(Error::NotFound)?;
        for cell in live.readable.iter().chain(&live.writable) {
            if let Cell::Page { gfn, changed, .. } = cell
                && let Some(PageState::Resident { named, .. }) = domain.pages.get_mut(gfn)
            {
                *named = flags & complete::ASSOCIATE != 0 && !changed;
            }
        }
        let bytes = live.writable.iter().filter_map(|cell| match cell {
            Cell::Bytes(bytes) => Some(bytes.clone()),
            _ => None,
        });
        let used = Used { slot: live.slot, queue: live.queue, written, bytes: bytes.flatten().collect() };
        domain.used.insert(name, used);
        Ok(0)
    }

    fn contents(&mut self, domain: u32, cells: &[Cell]) -> Vec<u8> {
        let mut all = Vec::new();
        for cell in cells {
            match cell {
                Cell::Bytes(bytes) => all.extend_from_slice(bytes),
                Cell::Page { gfn, .. } => match self.domain(domain).pages.get(gfn) {
                    Some(PageState::Resident { frame, .. }) => all.extend_from_slice(frame.as_slice()),
                    other => panic!("a page of a live request is resident, not {other:?}"),
                },
                Cell::Reference { .. } | Cell::Zero { .. } => all.extend_from_slice(&[0; 4096]),
            }
        }
        all
    }
}

fn range(all: &[u8], offset: u64, len: u64) -> Result<std::ops::Range<usize>, Error> {
    let end = offset.checked_add(len).ok_or(Error::OutsideRequest)?;
    if end > all.len() as u64 {
        return Err(Error::OutsideRequest);
    }
    Ok(usize::try_from(offset).unwrap()..usize::try_from(end).unwrap())
}

fn describe(domain: u32, id: u64, live: &Live, model: &Model) -> Request {
    let mut segments = Vec::new();
    for (cells, flags) in [(&live.readable, 0), (&live.writable, segment::WRITABLE)] {
        let mut offset = 0;
        for cell in cells {
            let mut one = Segment { flags, len: u32::try_from(cell.len()).unwrap(), offset, ..Segment::default() };
            offset += one.len;
            let (kind, page, block) = match cell {
                Cell::Bytes(_) => (segment::DATA, None, BlockRef::NONE),
                Cell::Page { gfn, drops, .. } => (segment::DATA, Some(*gfn), *drops),
                Cell::Reference { gfn, block } => (segment::REFERENCE, Some(*gfn), *block),
                Cell::Zero { gfn } => (segment::ZERO, Some(*gfn), BlockRef::NONE),
            };
            one.kind = kind;
            one.block = block;
            if let Some(page) = page {
                one.page = page;
                one.flags |= segment::WHOLE_PAGE;
            }
            if kind == segment::DATA && !block.is_none() {
                one.flags |= segment::DROPS;
            }
            segments.push(one);
        }
    }
    let len = |cells: &[Cell]| cells.iter().map(Cell::len).sum::<usize>() as u64;
    let mut header = Vec::new();
    for cell in &live.readable {
        match cell {
            Cell::Bytes(bytes) => header.extend_from_slice(bytes),
            Cell::Page { gfn, .. } => match model.domains[&domain].pages.get(gfn) {
                Some(PageState::Resident { frame, .. }) => header.extend_from_slice(frame.as_slice()),
                other => panic!("a page of a live request is resident, not {other:?}"),
            },
            // As far as it can be had without reading anything in.
            _ => break,
        }
    }
    header.truncate(HEADER_BYTES);
    Request {
        domain,
        id,
        slot: live.slot,
        queue: live.queue,
        readable: len(&live.readable),
        writable: len(&live.writable),
        header,
        segments,
    }
}
