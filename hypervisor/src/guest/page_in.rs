//! Page-in: asking dom0 for content, and taking what it gives.

use super::memory::{Arrival, GuestMemory};
use crate::cpu::time;
use crate::domain::Domain;
use crate::memory::direct;
use crate::memory::frames;
use crate::memory::tables::Tables;
use crate::service;
use abi::command::page_in;
use abi::domain::SwappedPage;
use abi::event::{Event as Message, kind};
use abi::{BlockRef, Error};
use pages::state::{Event, PageState};
use paging::{Cursor, Gfn};

/// Page-ins that dom0 works on at most.
pub const MAX_IN: usize = 64;

/// Entries that one list has at most, and what is looked at for it: so many times so many pages.
const LISTED: u64 = 4096;
const LOOK: u32 = 64;
const LOOKS: u32 = 512;

/// For whom a page comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// A vCPU touched it.
    Touch,
    /// A guest's I/O has a part of it, or needs its old content.
    Io,
    /// A guest's block write has all of it (what R1 avoids).
    Write,
}

impl GuestMemory {
    /// Asks for a swapped page; false if there is no room to ask now.
    pub(super) fn ask(&mut self, domain: &Domain, gfn: Gfn, block: BlockRef, need: Need) -> bool {
        let Some(record) = self.swap.arriving.iter().position(Option::is_none) else { return false };
        let message = Message { kind: kind::PAGE_IN, domain: domain.id, args: [gfn.0, block.0, 0, 0, 0, 0, 0] };
        if !service::post(&message, &[]) {
            return false;
        }
        if self.p2m.apply(&Tables, gfn, Event::PageInStart { record: record as u32 }).is_err() {
            return false;
        }
        self.swap.arriving[record] = Some(Arrival { gfn: gfn.0, block, since: time::tsc(), asked: true });
        match need {
            Need::Touch => self.swap.ins += 1,
            Need::Io => self.swap.ins_for_io += 1,
            Need::Write => {
                self.swap.ins_for_io += 1;
                self.swap.ins_for_write += 1;
            }
        }
        true
    }

    /// `PAGE_IN_DONE`: 1 if the page is resident now, 0 if the offer was declined.
    pub fn page_in_done(&mut self, page: u64, block: BlockRef, buffer: u64, flags: u64) -> Result<i64, Error> {
        if !crate::dom0::owns(buffer, 4096) {
            return Err(Error::BadBuffer);
        }
        let gfn = Gfn(page);
        let asked = match self.p2m.get(&Tables, gfn) {
            Ok(PageState::PagingIn { record, .. }) => Some(record as usize),
            Ok(PageState::Swapped { block: held }) if held == block => None,
            _ => return Ok(0),
        };
        match asked {
            Some(record) if self.swap.arriving.get(record).is_none_or(|a| a.is_none_or(|a| a.block != block)) => {
                return Ok(0);
            }
            // Read-around must not push out what is in use.
            None if self.p2m.counts().frames() + 16 >= self.limit && self.limit < self.pages => return Ok(0),
            _ => {}
        }
        let mfn = self.frame_for(gfn).ok_or(Error::NoMemory)?;
        direct::copy(buffer, mfn.0 << 12, 4096);
        let keep = flags & page_in::KEEP != 0;
        if self.p2m.apply(&Tables, gfn, Event::PageInDone { mfn, keep }).is_err() {
            frames::free(mfn, self.owner);
            return Err(Error::State);
        }
        match asked {
            Some(record) => {
                if let Some(arrival) = self.swap.arriving[record].take() {
                    // Asked and answered on two CPUs, whose clocks are not checked to agree.
                    let waited = time::ticks_to_ns(time::tsc().saturating_sub(arrival.since));
                    self.swap.worst_wait = self.swap.worst_wait.max(waited);
                    self.swap.total_wait = self.swap.total_wait.saturating_add(waited);
                }
            }
            None => self.swap.ins_around += 1,
        }
        self.map_resident(gfn, mfn);
        Ok(1)
    }

    /// `LIST_SWAPPED`: pages from `first` on whose content is in dom0's store; how many, and where to go on
    /// (`u64::MAX`: that was the end).
    pub fn list_swapped(&self, first: u64, buffer: u64, entries: u64) -> Result<(i64, u64), Error> {
        let size = size_of::<SwappedPage>() as u64;
        let entries = entries.min(LISTED);
        if !crate::dom0::owns(buffer, entries * size) {
            return Err(Error::BadBuffer);
        }
        let mut cursor = Cursor::new(Gfn(first)..self.end());
        let (mut count, mut looks) = (0, 0);
        while count < entries && looks < LOOKS && !cursor.is_done() {
            let budget = LOOK.min((entries - count) as u32);
            looks += 1;
            let walked = self.p2m.for_each_bounded(&Tables, &mut cursor, budget, |gfn, state| {
                let block = match state {
                    PageState::Swapped { block } => block,
                    PageState::PagingIn { record, .. } => match self.swap.arriving.get(record as usize) {
                        Some(Some(arrival)) => arrival.block,
                        _ => return,
                    },
                    _ => return,
                };
                let entry = SwappedPage { page: gfn.0, block };
                direct::write_bytes(buffer + count * size, zerocopy::IntoBytes::as_bytes(&entry));
                count += 1;
            });
            walked.map_err(|_| Error::State)?;
        }
        let next = if cursor.is_done() { u64::MAX } else { cursor.position().0 };
        Ok((count.cast_signed(), next))
    }

    /// `MOVE_REFERENCE`.
    pub fn move_reference(&mut self, page: u64, from: BlockRef, to: BlockRef) -> Result<(), Error> {
        if let Ok(PageState::PagingIn { record, .. }) = self.p2m.get(&Tables, Gfn(page))
            && let Some(Some(arrival)) = self.swap.arriving.get_mut(record as usize)
            && arrival.block == from
        {
            arrival.block = to;
            return Ok(());
        }
        self.p2m.apply(&Tables, Gfn(page), Event::Move { from, to }).map(|_| ()).map_err(|_| Error::NotFound)
    }

    /// Evicting may begin again.
    pub fn retry(&mut self) {
        self.swap.stopped = false;
    }

    /// After an attach: the new daemon was asked for nothing yet.
    pub(super) fn forget_asked(&mut self) {
        self.swap.arriving.iter_mut().flatten().for_each(|arrival| arrival.asked = false);
    }

    /// Asks for what the last daemon did not bring; false while the ring has no room.
    pub(super) fn ask_again(&mut self, domain: &Domain) -> bool {
        self.swap.arriving.iter_mut().flatten().filter(|arrival| !arrival.asked).all(|arrival| {
            let args = [arrival.gfn, arrival.block.0, 0, 0, 0, 0, 0];
            arrival.asked = service::post(&Message { kind: kind::PAGE_IN, domain: domain.id, args }, &[]);
            arrival.asked
        })
    }
}
