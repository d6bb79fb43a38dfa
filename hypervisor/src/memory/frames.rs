//! Frames: given out zeroed, so that nothing of the last owner is seen by the next, and taken back only from
//! who has them.
//!
//! The records decide: a frame that is freed by another than its owner, or twice, or while something refers to
//! it, is a bug of ours. It is refused, counted and told, and the frame is never used again.

use super::{direct, pool, records};
use core::sync::atomic::{AtomicU64, Ordering};
use pages::frame::Why;
use pages::pool::Region;
use pages::{FrameError, FrameKind, Owner, Put};
use paging::{Gfn, Mfn};

pub use super::pool::{counts, is_short};

/// Refusals since the start.
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// Gives the frames `start..end`, which are RAM and nobody's, to the pool.
pub fn donate(start: Mfn, end: Mfn) {
    for frame in (start.0..end.0).map(Mfn) {
        match records::table().donate(frame) {
            Ok(_) => pool::add(frame),
            Err(error) => refuse(error),
        }
    }
}

/// Gives the frames `start..end`, which were the hypervisor's until now, to the pool.
pub fn retire(start: Mfn, end: Mfn) {
    for frame in (start.0..end.0).map(Mfn) {
        match records::table().release(frame) {
            Ok(_) => pool::add(frame),
            Err(error) => refuse(error),
        }
    }
}

/// A zeroed frame for a page of `owner`; `None` if the pool is empty.
pub fn allocate(owner: Owner) -> Option<Mfn> {
    take(FrameKind::Domain, owner)
}

/// A zeroed frame for page `gfn` of `owner`: where there can be, the one at the page's place in a block for the 2 MiB
/// that it is in. If no block is reserved for them, one may be as long as `vacant` says that they have no frame yet.
pub fn allocate_at(owner: Owner, gfn: Gfn, vacant: impl FnOnce() -> bool) -> Option<Mfn> {
    let offset = gfn.0 % pool::BLOCK;
    let own = Region::of(owner, gfn).and_then(|region| {
        pool::take_own(region, offset).or_else(|| vacant().then(|| pool::reserve(region, offset))?)
    });
    own.and_then(|frame| claim(frame, FrameKind::Domain, owner)).or_else(|| allocate(owner))
}

/// True if the frame's block is that of the 2 MiB around `gfn` of `owner`, and these have all of it.
pub fn is_complete(owner: Owner, gfn: Gfn, frame: Mfn) -> bool {
    Region::of(owner, gfn).is_some_and(|region| pool::is_complete(region, frame))
}

/// A zeroed frame for a structure of the hypervisor or the hardware (VMCB, VMCS, VMXON region).
pub fn allocate_hypervisor() -> Option<Mfn> {
    take(FrameKind::Hypervisor, Owner::NOBODY)
}

/// A zeroed frame for a table of translations or page states.
pub fn allocate_table() -> Option<Mfn> {
    take(FrameKind::Table, Owner::NOBODY)
}

fn take(kind: FrameKind, owner: Owner) -> Option<Mfn> {
    loop {
        let claimed = claim(pool::take()?, kind, owner);
        if claimed.is_some() {
            return claimed;
        }
    }
}

/// Makes a frame of the pool somebody's and zeroes it; `None` if its record says that it is not free.
fn claim(frame: Mfn, kind: FrameKind, owner: Owner) -> Option<Mfn> {
    records::table().claim(frame, kind, owner).map_err(refuse).ok()?;
    direct::zero(frame.0 << 12, 4096);
    Some(frame)
}

/// 512 contiguous, aligned, zeroed frames for the hypervisor, for good.
pub fn allocate_block() -> Option<Mfn> {
    let base = pool::take_block()?;
    for frame in (base.0..base.0 + pool::BLOCK).map(Mfn) {
        records::table().claim(frame, FrameKind::Hypervisor, Owner::NOBODY).map_err(refuse).ok()?;
    }
    direct::zero(base.0 << 12, pool::BLOCK << 12);
    Some(base)
}

/// Takes back a page's frame from `owner`. No CPU can reach it any more: its translation was flushed.
pub fn free(frame: Mfn, owner: Owner) {
    if let Err(error) = give_back(frame, owner) {
        refuse(error);
    }
}

/// Takes back a frame of the hypervisor's own or of a table, which no guest could reach.
pub fn free_own(frame: Mfn) {
    if let Err(error) = records::table().release(frame).and_then(|_| into_pool(frame)) {
        refuse(error);
    }
}

/// What [`free`] does, with the reason of a refusal.
pub(super) fn give_back(frame: Mfn, owner: Owner) -> Result<(), FrameError> {
    let table = records::table();
    if table.record(frame)?.owner != owner {
        return Err(FrameError { mfn: frame, why: Why::NotOwner });
    }
    if let Put::Remaining(count) = table.put_ref(frame)? {
        return Err(FrameError { mfn: frame, why: Why::Referenced(count) });
    }
    table.quarantine(frame)?;
    table.release(frame)?;
    into_pool(frame)
}

fn into_pool(frame: Mfn) -> Result<(), FrameError> {
    pool::put(frame).then_some(()).ok_or(FrameError { mfn: frame, why: Why::Kind(FrameKind::Free) })
}

fn refuse(error: FrameError) {
    let count = REFUSED.fetch_add(1, Ordering::Relaxed) + 1;
    crate::log::warn_limited!("{error}: refused, and never used again (a bug; number {count})");
}
