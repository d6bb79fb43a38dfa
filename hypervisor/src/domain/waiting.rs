//! What of its memory a vCPU waits for.
//!
//! Set under the lock of the guest's memory by the CPU that runs the vCPU, after it has seen that the
//! page is away, and looked at after a page came under the same lock: so no wake-up is missed.

use core::sync::atomic::{AtomicU64, Ordering};
use paging::Gfn;

const NOTHING: u64 = u64::MAX;
const ROOM: u64 = u64::MAX - 1;

/// Empty while the vCPU runs or sleeps for other reasons.
pub struct Waiting(AtomicU64);

impl Waiting {
    /// It does not wait.
    #[allow(clippy::declare_interior_mutable_const)] // an initial value, never borrowed
    pub const NOTHING: Self = Self(AtomicU64::new(NOTHING));

    /// It waits for this page to be resident.
    pub fn for_page(&self, gfn: Gfn) {
        self.0.store(gfn.0, Ordering::Release);
    }

    /// It waits until something of the guest's has left, or can be asked for.
    pub fn for_room(&self) {
        self.0.store(ROOM, Ordering::Release);
    }

    /// It does not wait any more.
    pub fn clear(&self) {
        self.0.store(NOTHING, Ordering::Release);
    }

    /// True, once, if it waited for this page.
    pub fn take_page(&self, gfn: Gfn) -> bool {
        self.take(gfn.0)
    }

    /// True, once, if it waited for room.
    pub fn take_room(&self) -> bool {
        self.take(ROOM)
    }

    /// True, once, if it waited at all.
    pub fn take_any(&self) -> bool {
        self.0.swap(NOTHING, Ordering::AcqRel) != NOTHING
    }

    fn take(&self, what: u64) -> bool {
        self.0.compare_exchange(what, NOTHING, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }
}
