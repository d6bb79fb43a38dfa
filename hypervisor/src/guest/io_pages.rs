//! The pages of a request: what has to be in memory for it, what need not (R1, R3), and which of
//! them equal a disk block afterwards (R2).

use super::memory::{GuestMemory, Touched};
use super::page_in::Need;
use super::slot::Request;
use crate::domain::Domain;
use crate::memory::frames;
use crate::memory::tables::Tables;
use abi::BlockRef;
use abi::event::{MAX_SEGMENTS, Segment, segment};
use pages::state::{Event, PageState};
use paging::Gfn;
use virtio::split::{self, Piece};

/// Bytes of a block request's header (virtio 1.2, section 5.2.6).
const BLOCK_HEADER: u32 = 16;
/// Bytes of a disk's sector (same place).
const SECTOR: u32 = 512;

/// What a request's device and domain allow.
#[derive(Clone, Copy)]
pub struct Rules {
    /// It is a block device's: only there do pages have names.
    pub block_device: bool,
    /// Whole swapped pages go out as references.
    pub r1: bool,
    /// Whole swapped pages that are overwritten get a fresh frame.
    pub r3: bool,
}

impl Rules {
    /// True if the content of a swapped page is not needed here.
    fn spares(self, piece: &Piece) -> bool {
        if piece.writable {
            self.r3 && self.block_device && piece.is_whole_page()
        } else {
            self.r1 && self.is_written(piece)
        }
    }

    /// True for a whole page that a guest writes to its disk. What a request's header lies in is needed, and
    /// what does not begin with a sector of the disk cannot be its content.
    fn is_written(self, piece: &Piece) -> bool {
        let begins = piece.offset.checked_sub(BLOCK_HEADER).is_some_and(|at| at.is_multiple_of(SECTOR));
        self.block_device && !piece.writable && piece.is_whole_page() && begins
    }
}

impl GuestMemory {
    /// Brings in what the request needs; false while something is missing.
    pub(super) fn gather(&mut self, domain: &Domain, request: &mut Request, rules: Rules) -> bool {
        let mut complete = true;
        for piece in split::pieces(&request.segments) {
            let gfn = Gfn(piece.gfn());
            match self.p2m.get(&Tables, gfn) {
                Ok(PageState::Swapped { .. }) if rules.spares(&piece) => {}
                Ok(PageState::Swapped { block }) => {
                    let whole_write = rules.block_device && !piece.writable && piece.is_whole_page();
                    self.ask(domain, gfn, block, if whole_write { Need::Write } else { Need::Io });
                    complete = false;
                }
                Ok(PageState::PagingIn { .. }) => complete = false,
                Ok(PageState::PagingOut { mfn, .. }) => self.cancel_page_out(gfn, mfn),
                // What dom0 will fill waits for room as what a vCPU touches does.
                Ok(PageState::Absent | PageState::Ballooned) if piece.writable && self.is_crowded() => complete = false,
                _ => {}
            }
        }
        complete && self.refresh(request, rules) && self.furnish(request)
    }

    /// Frames for the untouched pages that the request fills, so that dom0's copies find them. False while there is none.
    fn furnish(&mut self, request: &Request) -> bool {
        for piece in split::pieces(&request.segments).filter(|piece| piece.writable) {
            let gfn = Gfn(piece.gfn());
            if self.is_fresh(gfn) && self.touch(gfn) == Touched::NoFrame {
                self.swap.starved = Some(gfn);
                return false;
            }
        }
        true
    }

    /// R3: swapped pages that the request overwrites lose their content, and get fresh frames. False while there is no
    /// room, or no memory for the list.
    fn refresh(&mut self, request: &mut Request, rules: Rules) -> bool {
        for piece in split::pieces(&request.segments) {
            let gfn = Gfn(piece.gfn());
            if !piece.writable || !rules.spares(&piece) {
                continue;
            }
            let Ok(PageState::Swapped { block }) = self.p2m.get(&Tables, gfn) else { continue };
            let missing = request.pieces.saturating_sub(request.dropped.len());
            if self.is_crowded() || request.dropped.try_reserve_exact(missing).is_err() {
                return false;
            }
            if self.p2m.apply(&Tables, gfn, Event::Discard).is_ok() {
                request.dropped.push((gfn.0, block));
                self.touch(gfn);
            }
        }
        true
    }

    /// The segment for one piece.
    pub(super) fn segment(&self, piece: &Piece, request: &Request, rules: Rules) -> Segment {
        let page = piece.gfn();
        if rules.is_written(piece) {
            match self.p2m.get(&Tables, Gfn(page)) {
                Ok(PageState::Swapped { block }) if rules.r1 => return piece.segment(segment::REFERENCE, page, block),
                Ok(PageState::Absent | PageState::Ballooned) => {
                    return piece.segment(segment::ZERO, page, BlockRef::NONE);
                }
                _ => {}
            }
        }
        match request.dropped.iter().find(|(gfn, _)| *gfn == page) {
            Some(&(_, block)) if piece.writable => {
                let mut data = piece.segment(segment::DATA, page, block);
                data.flags |= segment::DROPS;
                data
            }
            _ => piece.segment(segment::DATA, page, BlockRef::NONE),
        }
    }

    /// Clears the dirty bits of a request's whole pages, so that at its end they tell whether the
    /// guest wrote meanwhile.
    pub(super) fn watch_writes(&mut self, domain: &Domain, segments: &[Segment]) {
        if !self.may_leave() {
            return;
        }
        let whole = |s: &&Segment| s.kind == segment::DATA && s.flags & segment::WHOLE_PAGE != 0;
        let pages: heapless::Vec<Gfn, MAX_SEGMENTS> = segments.iter().filter(whole).map(|s| Gfn(s.page)).collect();
        let were = self.nested.clear_dirty::<MAX_SEGMENTS>(&pages, || crate::sched::shoot_down(domain));
        for (&gfn, _) in pages.iter().zip(&were).filter(|(_, dirty)| **dirty) {
            let _ = self.p2m.apply(&Tables, gfn, Event::Written);
        }
    }

    /// The request is over and its whole pages have names in dom0: those that stayed clean are
    /// associated.
    pub(super) fn associate(&mut self, request: &Request) {
        if !self.may_leave() {
            return;
        }
        for piece in split::pieces(&request.segments).filter(Piece::is_whole_page) {
            let gfn = Gfn(piece.gfn());
            if !self.nested.is_dirty(gfn) {
                let _ = self.p2m.apply(&Tables, gfn, Event::Associate);
            }
        }
    }

    /// True if pages are likely to leave, so that it pays to know which of them are on a disk.
    fn may_leave(&self) -> bool {
        self.limit < self.pages || frames::is_short()
    }

    /// Asks for a page that the hypervisor itself needs.
    pub(super) fn want(&mut self, domain: &Domain, gfn: u64) {
        if let Ok(PageState::Swapped { block }) = self.p2m.get(&Tables, Gfn(gfn)) {
            self.ask(domain, Gfn(gfn), block, Need::Io);
        }
    }
}
