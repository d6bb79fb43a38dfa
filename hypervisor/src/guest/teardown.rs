//! The end of a guest: its vCPUs leave, its memory goes back, piece by piece.

use super::{GuestMemory, list};
use crate::domain::Domain;
use crate::memory::frames::{self, Tables};
use abi::Error;
use abi::domain::state;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use pages::state::PageState;
use abi::platform::HIGH_RAM;
use pages::{P2m, Progress};
use paging::{Cursor, Gfn, Mfn};

/// Pages that one call gives back.
const BUDGET: usize = 2048;

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

impl GuestMemory {
    /// Frees frames, then translations, then tables; true when nothing is left. No vCPU can run any
    /// more, and a later user of an address-space identifier flushes before its first entry.
    fn give_back(&mut self) -> bool {
        let mut found = heapless::Vec::<(Gfn, Mfn), BUDGET>::new();
        let mut cursor = Cursor::new(Gfn(self.freed_to)..P2m::limit());
        let walked = self.p2m.for_each_bounded(&Tables, &mut cursor, BUDGET as u32, |gfn, state| {
            if let PageState::Resident { mfn, .. } = state {
                let _ = found.push((gfn, mfn));
            }
        });
        for (gfn, mfn) in &found {
            if self.p2m.set(&Tables, *gfn, PageState::Absent).is_ok() {
                frames::free(*mfn);
            }
        }
        self.freed_to = cursor.position().0;
        if !matches!(walked, Ok(Progress::Done)) {
            return false;
        }
        let end = Gfn((HIGH_RAM >> 12) + self.pages);
        let mut cursor = Cursor::new(Gfn(0)..end);
        if self.p2m.free_tables_bounded(&Tables, &mut cursor, BUDGET as u32) == Progress::More || !self.nested.clear(end, BUDGET as u32) {
            return false;
        }
        if self.pages != 0 {
            // With no pages left nothing looks into the tables again.
            self.pages = 0;
            frames::free(self.p2m.root());
            frames::free(Mfn(self.nested.root() >> 12));
        }
        true
    }
}
