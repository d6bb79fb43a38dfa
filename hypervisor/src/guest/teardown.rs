//! The end of a guest: its vCPUs leave, its memory goes back, piece by piece.

use super::{GuestMemory, list};
use crate::domain::Domain;
use crate::memory::frames;
use crate::memory::tables::Tables;
use abi::Error;
use abi::domain::state;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use pages::Progress;
use pages::state::PageState;
use paging::{Cursor, Gfn, Mfn, TableCursor};

/// Pages that one call gives back.
const BUDGET: usize = 2048;
/// Pages that are looked at together.
const PIECE: usize = 128;

/// `DESTROY`: [`Error::Again`] until all is given back.
pub fn destroy(domain: &Arc<Domain>) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    guest.state.store(state::DYING, Ordering::Release);
    domain.kill();
    for vcpu in domain.vcpus() {
        vcpu.notify();
    }
    // A vCPU is gone when its CPU has put its context back.
    if domain.vcpus().iter().any(|vcpu| vcpu.context.lock().is_none()) {
        return Err(Error::Again);
    }
    for vcpu in domain.vcpus() {
        crate::sched::remove(vcpu);
    }
    if !guest.memory.lock().give_back() {
        return Err(Error::Again);
    }
    list::remove(domain.id);
    Ok(())
}

/// True once `DESTROY` was asked for.
pub fn is_dying(domain: &Domain) -> bool {
    domain.guest().is_some_and(|guest| guest.state.load(Ordering::Acquire) == state::DYING)
}

/// Where each phase of giving back goes on.
pub struct Teardown {
    frames: Cursor,
    leaves: Cursor,
    tables: TableCursor,
    states: Cursor,
}

impl GuestMemory {
    /// Frees frames, then translations, then tables; true when nothing is left. No vCPU can run any
    /// more, and a later user of an address-space identifier flushes before its first entry.
    fn give_back(&mut self) -> bool {
        if self.pages == 0 {
            return true;
        }
        let all = Gfn(0)..self.end();
        let mut teardown = self.teardown.take().unwrap_or_else(|| Teardown {
            frames: Cursor::new(all.clone()),
            leaves: Cursor::new(all.clone()),
            tables: TableCursor::new(all.clone()),
            states: Cursor::new(all),
        });
        let done = self.free_frames(&mut teardown.frames)
            && self.nested.clear(&mut teardown.leaves, &mut teardown.tables, BUDGET as u32)
            && self.p2m.free_tables_bounded(&Tables, &mut teardown.states, BUDGET as u32) == Progress::Done;
        self.teardown = Some(teardown);
        if done {
            // With no pages left nothing looks into the tables again.
            self.pages = 0;
            let lost = (self.p2m.tables() + self.nested.tables()).saturating_sub(2);
            if lost > 0 {
                crate::log::error!("{lost} tables of a guest's memory are lost (a bug)");
            }
            frames::free_own(self.p2m.root());
            frames::free_own(Mfn(self.nested.root() >> 12));
        }
        done
    }

    fn free_frames(&mut self, cursor: &mut Cursor) -> bool {
        (0..BUDGET / PIECE).any(|_| self.free_piece(cursor))
    }

    /// True when the cursor is at its end. Never inlined: what it finds takes room on the stack.
    #[inline(never)]
    fn free_piece(&mut self, cursor: &mut Cursor) -> bool {
        let mut found = heapless::Vec::<(Gfn, Option<Mfn>), PIECE>::new();
        let walked = self.p2m.for_each_bounded(&Tables, cursor, PIECE as u32, |gfn, state| {
            let _ = found.push((gfn, state.frame()));
        });
        for (gfn, mfn) in &found {
            // Swapped pages as well: only a table without any state is freed.
            if self.p2m.set(&Tables, *gfn, PageState::Absent).is_ok()
                && let Some(mfn) = mfn
            {
                frames::free(*mfn, self.owner);
            }
        }
        matches!(walked, Ok(Progress::Done))
    }
}
