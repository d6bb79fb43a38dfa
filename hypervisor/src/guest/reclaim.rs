//! Page-out: choosing victims, unmapping them, offering them to dom0, and what dom0 answers.
//!
//! A page that dom0 was told of is not evicted again before dom0 has answered, so that an answer
//! can never be taken for a later page-out's of the same page.

use super::memory::Swap;
use super::{Guest, GuestMemory};
use crate::domain::Domain;
use crate::memory::direct;
use crate::memory::frames;
use crate::memory::tables::Tables;
use crate::service;
use abi::domain::DomainFlags;
use abi::event::{Event as Message, kind, page_out};
use abi::{BlockRef, Error};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use heapless::Vec;
use pages::StateKind;
use pages::state::{Event, PageState};
use paging::{Gfn, Mfn};
use policy::{Look, Marks, water};

/// Page-outs that dom0 works on at most.
pub const MAX_OUT: usize = 128;
/// Victims of one call at most.
const BATCH: usize = 64;
/// A call that could take fewer is put off: each costs a shoot-down, and answers that make room will come.
const LEAST_ROOM: usize = 32;
/// Frames that one call looks at.
const BUDGET: u32 = 1 << 14;

/// A page-out that dom0 was told of.
#[derive(Clone, Copy)]
pub struct Leaving {
    /// The page.
    pub gfn: u64,
    /// Its content was copied by dom0.
    pub copied: bool,
}

/// Evicts as many pages as the limit asks for. Holds no lock when called.
pub fn reclaim(domain: &Arc<Domain>, guest: &Guest) {
    let slots = guest.devices.lock();
    let mut memory = guest.memory.lock();
    memory.swap.unposted = false;
    let wanted = memory.excess();
    if wanted == 0 {
        return;
    }
    let (mut victims, went_round) = memory.choose(wanted);
    slots.spare_pinned(&mut victims);
    if victims.is_empty() && went_round {
        // What was not accessed since must be seen to be so in the next round.
        crate::sched::shoot_down(domain);
    }
    // Before it is tried: room that dom0 makes meanwhile is then not overlooked.
    let was_stalled = guest.stalled.swap(true, Ordering::AcqRel);
    let dirty = memory.nested.unmap_batch(&victims, || crate::sched::shoot_down(domain));
    let r2 = guest.flags.load(Ordering::Relaxed) & DomainFlags::R2.bits() != 0;
    for (&gfn, &dirty) in victims.iter().zip(&dirty) {
        // What is still mapped stays.
        if let Some(dirty) = dirty {
            memory.offer(domain, gfn, dirty, r2);
        }
    }
    if !memory.swap.unposted {
        guest.stalled.store(was_stalled, Ordering::Release);
    }
}

impl GuestMemory {
    /// Pages that should be on their way out and are not.
    fn excess(&mut self) -> usize {
        let room = MAX_OUT.saturating_sub(self.swap.leaving.len());
        let allowed = self.allowed();
        if allowed >= self.pages || self.swap.stopped || room < LEAST_ROOM {
            return 0;
        }
        let (counts, marks) = (self.p2m.counts(), Marks::for_limit(allowed));
        let leaving = counts.of(StateKind::PagingOut);
        self.swap.reclaim.due(marks, allowed, counts.frames(), leaving, BATCH.min(room) as u64) as usize
    }

    /// Pages that may be resident now: the limit, or, while the pool is short and pages can leave (once a daemon is
    /// there again, if there is none), no more than there are.
    pub(super) fn allowed(&self) -> u64 {
        if !self.swap.stopped && frames::is_short() { self.limit.min(self.p2m.counts().frames()) } else { self.limit }
    }

    /// True if a further resident page is more than the limit allows.
    pub(super) fn is_full(&self) -> bool {
        let allowed = self.allowed();
        allowed < self.pages && water::is_full(allowed, self.p2m.counts().frames())
    }

    /// True if an untouched page must wait until others have left. If none is leaving and none
    /// can be found, it must not: there would be no end to it.
    pub(super) fn must_wait(&self, gfn: Gfn) -> bool {
        self.is_fresh(gfn) && self.is_crowded()
    }

    /// True if nothing was ever in this page, or nothing is any more.
    pub(super) fn is_fresh(&self, gfn: Gfn) -> bool {
        let empty = matches!(self.p2m.get(&Tables, gfn), Ok(PageState::Absent | PageState::Ballooned));
        empty && self.is_ram(gfn.0 << 12)
    }

    /// True if there is no room, and there will be.
    pub(super) fn is_crowded(&self) -> bool {
        let Swap { leaving, stopped, unposted, .. } = &self.swap;
        let coming = !leaving.is_empty() || *stopped || *unposted || !service::attached();
        self.is_full() && coming
    }

    /// True if an instruction that is emulated must have the page brought in first: whoever writes to fresh
    /// pages in that way keeps to the limit as those do that touch them.
    pub fn is_beyond(&self, gfn: Gfn) -> bool {
        self.is_fresh(gfn) && self.is_full()
    }

    /// Moves the clock hand until it found `wanted` victims; and whether it went round.
    fn choose(&mut self, wanted: usize) -> (Vec<Gfn, BATCH>, bool) {
        let mut victims = Vec::new();
        let end = self.end();
        let Self { p2m, nested, swap, .. } = self;
        let Swap { hand, leaving, .. } = swap;
        let look = |gfn: Gfn| match p2m.get(&Tables, gfn) {
            Ok(PageState::Resident { .. }) if leaving.iter().any(|l| l.gfn == gfn.0) => Look::Pinned,
            Ok(PageState::Resident { .. }) => Look::Candidate,
            _ => Look::Nothing,
        };
        let accessed = |gfn: Gfn| nested.test_and_clear_accessed(gfn);
        let report = hand.advance(end, wanted as u32, BUDGET, look, accessed, |gfn| {
            let _ = victims.push(gfn);
        });
        (victims, report.rounds > 0)
    }

    /// Offers one unmapped page to dom0; all-zero pages are dropped here.
    fn offer(&mut self, domain: &Domain, gfn: Gfn, written: bool, r2: bool) {
        let Ok(PageState::Resident { mfn, associated, .. }) = self.p2m.get(&Tables, gfn) else { return };
        let dirty = written || !associated;
        if direct::is_zero_frame(mfn.0 << 12) && self.p2m.apply(&Tables, gfn, Event::DropZero).is_ok() {
            frames::free(mfn, self.owner);
            self.swap.zero_drops += 1;
            return;
        }
        let clean = if dirty || !r2 { 0 } else { page_out::CLEAN };
        let message = Message { kind: kind::PAGE_OUT, domain: domain.id, args: [gfn.0, clean, 0, 0, 0, 0, 0] };
        if self.swap.leaving.is_full() || self.p2m.apply(&Tables, gfn, Event::Evict { dirty }).is_err() {
            self.keep(gfn, mfn);
        } else if service::post(&message, &[]) {
            let _ = self.swap.leaving.push(Leaving { gfn: gfn.0, copied: false });
        } else {
            self.swap.unposted = true;
            self.keep(gfn, mfn);
        }
    }

    /// A page that was to leave stays: mapped again.
    fn keep(&mut self, gfn: Gfn, mfn: Mfn) {
        let _ = self.p2m.apply(&Tables, gfn, Event::PageOutCancelled);
        self.map_resident(gfn, mfn);
    }

    /// The guest needs a page that is on its way out.
    pub(super) fn cancel_page_out(&mut self, gfn: Gfn, mfn: Mfn) {
        self.keep(gfn, mfn);
        self.swap.cancelled += 1;
    }

    /// `COPY_PAGE`.
    pub fn copy_page(&mut self, page: u64, buffer: u64) -> Result<i64, Error> {
        if !crate::dom0::owns(buffer, 4096) {
            return Err(Error::BadBuffer);
        }
        let Some(at) = self.swap.leaving.iter().position(|leaving| leaving.gfn == page) else {
            return Err(Error::Cancelled);
        };
        let Ok(PageState::PagingOut { mfn, .. }) = self.p2m.get(&Tables, Gfn(page)) else {
            self.swap.leaving.swap_remove(at);
            return Err(Error::Cancelled);
        };
        direct::copy(mfn.0 << 12, buffer, 4096);
        self.swap.leaving[at].copied = true;
        self.swap.out_bytes += 4096;
        Ok(4096)
    }

    /// `PAGE_OUT_DONE`.
    pub fn page_out_done(&mut self, page: u64, block: BlockRef) -> Result<(), Error> {
        let Some(at) = self.swap.leaving.iter().position(|leaving| leaving.gfn == page) else {
            return Err(Error::Cancelled);
        };
        let leaving = self.swap.leaving.swap_remove(at);
        let Ok(PageState::PagingOut { mfn, dirty }) = self.p2m.get(&Tables, Gfn(page)) else {
            return Err(Error::Cancelled);
        };
        if dirty && !leaving.copied {
            // dom0 names content that it cannot have: the page stays.
            self.keep(Gfn(page), mfn);
            return Err(Error::Invalid);
        }
        self.p2m.apply(&Tables, Gfn(page), Event::PageOutDone { block }).map_err(|_| Error::State)?;
        frames::free(mfn, self.owner);
        self.swap.r2_drops += u64::from(!leaving.copied);
        Ok(())
    }

    /// `PAGE_OUT_FAILED`: the page stays, and nothing more is evicted until dom0 says so.
    pub fn page_out_failed(&mut self, page: u64) -> Result<(), Error> {
        self.swap.leaving.retain(|leaving| leaving.gfn != page);
        self.swap.stopped = true;
        match self.p2m.get(&Tables, Gfn(page)) {
            Ok(PageState::PagingOut { mfn, .. }) => self.keep(Gfn(page), mfn),
            _ => return Err(Error::Cancelled),
        }
        Ok(())
    }

    /// After an attach: page-outs that the last daemon did not finish are taken back.
    pub fn take_back(&mut self) {
        while let Some(leaving) = self.swap.leaving.pop() {
            if let Ok(PageState::PagingOut { mfn, .. }) = self.p2m.get(&Tables, Gfn(leaving.gfn)) {
                self.keep(Gfn(leaving.gfn), mfn);
            }
        }
    }
}
