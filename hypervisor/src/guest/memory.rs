//! A guest's memory: page states, and the nested table as their cache.

use super::large::RIPE;
use super::page_in::MAX_IN;
use super::reclaim::{Leaving, MAX_OUT};
use crate::memory::direct;
use crate::memory::frames;
use crate::memory::nested::Nested;
use crate::memory::tables::Tables;
use abi::BlockRef;
use abi::platform::{HIGH_RAM, LOW_RAM_END};
use pages::state::{Event, PageState};
use pages::{Owner, P2m};
use paging::{Gfn, MapError, MemoryType, Mfn, Size};
use policy::{Hand, Reclaim};
use virtio::memory::{Fault, GuestMemory as Access};

/// Page states and translations of one guest.
pub struct GuestMemory {
    /// Whose the frames are.
    pub(super) owner: Owner,
    pub(super) p2m: P2m,
    pub(super) nested: Nested,
    /// Pages of RAM.
    pub pages: u64,
    /// Most resident pages.
    pub limit: u64,
    /// What is on its way, and counters.
    pub(super) swap: Swap,
    /// Regions whose pages may become one mapping: by their first page.
    pub(super) ripe: heapless::Vec<Gfn, RIPE>,
    /// How far teardown is.
    pub(super) teardown: Option<super::teardown::Teardown>,
}

/// Page-outs and page-ins under way, and counters (see [`abi::domain::DomainInfo`]).
pub struct Swap {
    pub(super) hand: Hand,
    pub(super) reclaim: Reclaim,
    pub(super) leaving: heapless::Vec<Leaving, MAX_OUT>,
    pub(super) arriving: [Option<Arrival>; MAX_IN],
    /// dom0 could not take a page: no more until it says so.
    pub(super) stopped: bool,
    /// The last page that was to leave found no room in the event ring: dom0's next doorbell makes some.
    pub(super) unposted: bool,
    /// A request waits for this page, for which there was no frame.
    pub(super) starved: Option<Gfn>,
    pub(super) zero_drops: u64,
    pub(super) cancelled: u64,
    pub(super) out_bytes: u64,
    pub(super) r1_hits: u64,
    pub(super) r2_drops: u64,
    pub(super) r3_fresh: u64,
    pub(super) ins: u64,
    pub(super) ins_for_io: u64,
    pub(super) ins_for_write: u64,
    pub(super) ins_around: u64,
    pub(super) worst_wait: u64,
    pub(super) total_wait: u64,
}

/// A page that dom0 was asked for.
#[derive(Clone, Copy)]
pub struct Arrival {
    /// The page.
    pub gfn: u64,
    /// The name of its content.
    pub block: BlockRef,
    /// TSC when it was asked for.
    pub since: u64,
    /// The daemon that is attached was asked for it.
    pub asked: bool,
}

impl Swap {
    const fn new() -> Self {
        Self {
            hand: Hand::new(),
            reclaim: Reclaim::new(),
            leaving: heapless::Vec::new(),
            arriving: [None; MAX_IN],
            stopped: false,
            unposted: false,
            starved: None,
            zero_drops: 0,
            cancelled: 0,
            out_bytes: 0,
            r1_hits: 0,
            r2_drops: 0,
            r3_fresh: 0,
            ins: 0,
            ins_for_io: 0,
            ins_for_write: 0,
            ins_around: 0,
            worst_wait: 0,
            total_wait: 0,
        }
    }
}

/// What touching a page led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Touched {
    /// It is in this frame.
    Frame(Mfn),
    /// It is in dom0's store under this name.
    Swapped(BlockRef),
    /// It is on its way in.
    Arriving,
    /// There is no such memory.
    Outside,
    /// No frame is free.
    NoFrame,
}

impl GuestMemory {
    /// `pages` of RAM, all untouched; `None` without frames for the tables.
    pub fn new(owner: Owner, pages: u64, limit: u64) -> Option<Self> {
        let p2m = P2m::new(&Tables)?;
        let Some(nested) = Nested::new() else {
            frames::free_own(p2m.root());
            return None;
        };
        Some(Self { owner, p2m, nested, pages, limit, swap: Swap::new(), ripe: heapless::Vec::new(), teardown: None })
    }

    /// Physical address of the nested table.
    pub fn root(&self) -> u64 {
        self.nested.root()
    }

    /// True if the address is RAM.
    pub fn is_ram(&self, gpa: u64) -> bool {
        let low = (self.pages << 12).min(LOW_RAM_END);
        gpa < low || (HIGH_RAM..HIGH_RAM + (self.pages << 12) - low).contains(&gpa)
    }

    /// True if all `len` bytes are RAM.
    pub fn is_ram_range(&self, gpa: u64, len: u64) -> bool {
        let Some(last) = gpa.checked_add(len.saturating_sub(1)) else { return false };
        self.is_ram(gpa) && self.is_ram(last) && (gpa < LOW_RAM_END) == (last < LOW_RAM_END)
    }

    /// Makes a page resident and mapped.
    pub fn touch(&mut self, gfn: Gfn) -> Touched {
        if !self.is_ram(gfn.0 << 12) {
            return Touched::Outside;
        }
        match self.p2m.get(&Tables, gfn) {
            Ok(PageState::Resident { mfn, .. }) => Touched::Frame(mfn),
            Ok(PageState::Absent | PageState::Ballooned) => self.populate(gfn),
            Ok(PageState::PagingOut { mfn, .. }) => {
                self.cancel_page_out(gfn, mfn);
                Touched::Frame(mfn)
            }
            Ok(PageState::Swapped { block }) => Touched::Swapped(block),
            Ok(PageState::PagingIn { .. }) => Touched::Arriving,
            _ => Touched::NoFrame,
        }
    }

    /// One past the highest guest frame of RAM.
    pub fn end(&self) -> Gfn {
        let low = LOW_RAM_END >> 12;
        Gfn(if self.pages <= low { self.pages } else { (HIGH_RAM >> 12) + self.pages - low })
    }

    /// Maps a resident page if it is not; false without a frame for the tables.
    pub(super) fn map_resident(&mut self, gfn: Gfn, mfn: Mfn) -> bool {
        match self.nested.map(gfn, mfn, Size::Small, MemoryType::WriteBack) {
            Ok(()) => {
                self.note_mapped(gfn, mfn);
                true
            }
            Err(error) => matches!(error, MapError::Occupied(_)),
        }
    }

    /// First touch: a zeroed frame.
    fn populate(&mut self, gfn: Gfn) -> Touched {
        let Some(mfn) = self.frame_for(gfn) else { return Touched::NoFrame };
        if self.p2m.apply(&Tables, gfn, Event::Populate { mfn }).is_err() {
            frames::free(mfn, self.owner);
            return Touched::NoFrame;
        }
        if self.map_resident(gfn, mfn) {
            return Touched::Frame(mfn);
        }
        // Nothing was mapped, so nothing must be flushed.
        let _ = self.p2m.apply(&Tables, gfn, Event::Discard);
        frames::free(mfn, self.owner);
        Touched::NoFrame
    }

    /// Reads inside one page; an untouched page reads as zero and stays untouched.
    fn read_page(&self, gpa: u64, out: &mut [u8]) -> Result<(), Fault> {
        let gfn = Gfn(gpa >> 12);
        if !self.is_ram(gpa) {
            return Err(Fault::Bad(gpa));
        }
        match self.p2m.get(&Tables, gfn) {
            Ok(PageState::Resident { mfn, .. } | PageState::PagingOut { mfn, .. }) => {
                direct::read_bytes((mfn.0 << 12) + gpa % 4096, out)
            }
            Ok(PageState::Absent | PageState::Ballooned) => out.fill(0),
            _ => return Err(Fault::NotPresent(gfn.0)),
        }
        Ok(())
    }

    /// Writes inside one page. `differs`: the page is not what a live request may name it after.
    pub(super) fn write_piece(&mut self, gpa: u64, bytes: &[u8], differs: bool) -> Result<(), Fault> {
        let gfn = Gfn(gpa >> 12);
        match self.touch(gfn) {
            Touched::Frame(mfn) => {
                direct::write_bytes((mfn.0 << 12) + gpa % 4096, bytes);
                // The processor sets no dirty bit for a write through the direct map.
                let _ = self.p2m.apply(&Tables, gfn, Event::Written);
                if differs {
                    self.nested.set_dirty(gfn);
                }
            }
            Touched::Outside => return Err(Fault::Bad(gpa)),
            _ => return Err(Fault::NotPresent(gpa >> 12)),
        }
        Ok(())
    }
}

impl Access for GuestMemory {
    fn read(&mut self, gpa: u64, to: &mut [u8]) -> Result<(), Fault> {
        each_page(gpa, to.len(), |at, range| self.read_page(at, to.get_mut(range).unwrap_or(&mut [])))
    }

    fn write(&mut self, gpa: u64, from: &[u8]) -> Result<(), Fault> {
        each_page(gpa, from.len(), |at, range| {
            if self.must_wait(Gfn(at >> 12)) {
                return Err(Fault::NotPresent(at >> 12));
            }
            self.write_piece(at, from.get(range).unwrap_or(&[]), true)
        })
    }

    fn check(&self, gpa: u64, len: u64) -> bool {
        self.is_ram_range(gpa, len)
    }
}

/// Cuts an access at page boundaries.
fn each_page(
    gpa: u64,
    len: usize,
    mut f: impl FnMut(u64, core::ops::Range<usize>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut done = 0;
    while done < len {
        let at = gpa.checked_add(done as u64).ok_or(Fault::Bad(gpa))?;
        let take = (len - done).min((4096 - at % 4096) as usize);
        f(at, done..done + take)?;
        done += take;
    }
    Ok(())
}
