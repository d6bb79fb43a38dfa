//! A record for each frame of RAM: what it is used for, whose it is, how often it was given back
//! ([`pages::frame`]). 4 bytes a frame, 0.1 % of memory; with 8 bytes a page of nested table and 8 of page
//! states, and the levels above, all tables of a guest of 256 MiB and more stay below 0.5 % of its memory.

use super::direct;
use pages::{FrameKind, FrameTable, Owner};
use paging::Mfn;

static TABLE: spin::Once<FrameTable<'static>> = spin::Once::new();

/// Bytes that the records of all frames below `top` (an address) take.
pub const fn size(top: u64) -> u64 {
    ((top >> 12) * 4).next_multiple_of(4096)
}

/// Puts the records of all frames below `top` at `start`: all Reserved. The range is the caller's and is given up.
pub fn init(start: u64, top: u64) {
    direct::zero(start, size(top));
    TABLE.call_once(|| FrameTable::new(direct::words(start, (top >> 12) as usize), Mfn(0)));
}

/// The records. Before [`init`] there are none.
pub fn table() -> FrameTable<'static> {
    TABLE.get().copied().unwrap_or(FrameTable::new(&[], Mfn(0)))
}

/// Notes for good whose a range is (addresses, of whole frames).
pub fn settle(start: u64, end: u64, kind: FrameKind, owner: Owner) {
    for frame in start >> 12..end >> 12 {
        let noted = table().donate(Mfn(frame)).and_then(|_| table().claim(Mfn(frame), kind, owner));
        if let Err(error) = noted {
            crate::log::error!("{error} (a bug)");
            return;
        }
    }
}
