//! What the map wants done, and what came of it.
//!
//! The executor carries every action out once and reports it once with [`crate::Map::complete`].
//! Its contract:
//!
//! 1. hypervisor commands are submitted in the order in which they were handed out, and their
//!    results are reported before any event that was taken later is fed to the map;
//! 2. [`Op::Journal`] actions are appended in the order in which they were handed out; after a
//!    failure, one is Done only when everything that failed before it has been written, too (none
//!    at all asks for just that);
//! 3. all other actions may run at the same time and in any order: no two that are handed out
//!    together or overlap in time touch the same 4 KiB block if one of them changes it, so an
//!    executor may widen an access to whole blocks (read, modify, write);
//! 4. a write counts as done when a killed daemon cannot undo it (the kernel has it); only
//!    [`Op::Sync`] makes it survive a loss of power.

use crate::{Extent, PageId, Piece, Record, RequestId};
use abi::BlockRef;

/// Names an action until it is completed.
pub type ActionId = u64;

/// One thing to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// To be handed back to [`crate::Map::complete`].
    pub id: ActionId,
    /// What to do.
    pub op: Op,
}

/// The kinds of actions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Gather `pieces` and write them to `to` (their lengths add up to `to.len`).
    /// Outcome: Done; Declined if `COPY_PAGE` said Cancelled; NoRoom; Failed.
    Write {
        /// Where.
        to: Extent,
        /// What.
        pieces: Vec<Piece>,
    },
    /// Read `from` into the request's device-writable bytes from `at` on (`COPY_IN`). Outcome: Done or Failed.
    Read {
        /// Where from.
        from: Extent,
        /// Into which request.
        request: RequestId,
        /// First byte of the device-writable part.
        at: u32,
    },
    /// Make `to` read as zeroes. Outcome: Done or Failed.
    Zero {
        /// Where.
        to: Extent,
        /// The space may be given back to the host.
        unmap: bool,
    },
    /// Read 4 KiB at `from` and offer them: `PAGE_IN_DONE(page, block)`, with KEEP if `keep`.
    /// Outcome: Done if the page is resident now; Declined if the hypervisor did not take it (a
    /// demanded page is then offered again, after a pause that grows from 10 to 160 ms);
    /// Failed if the bytes could not be read (nothing is told to the hypervisor then).
    Load {
        /// The page.
        page: PageId,
        /// The reference that the hypervisor holds.
        block: BlockRef,
        /// Where the content is.
        from: Extent,
        /// The map keeps the name.
        keep: bool,
        /// A guest waits for it; else it is read-around.
        demanded: bool,
    },
    /// Append the records to the journal of disk references, possibly none. Outcome: Done or Failed.
    Journal(Vec<Record>),
    /// Make all writes that were completed so far survive a loss of power. Outcome: Done or Failed.
    Sync(Durable),
    /// `PAGE_OUT_DONE`. Outcome: Done, or Declined for Cancelled or any error.
    PageOutDone {
        /// The page.
        page: PageId,
        /// Its content.
        block: BlockRef,
    },
    /// `PAGE_OUT_FAILED`. The outcome does not matter.
    PageOutFailed {
        /// The page.
        page: PageId,
        /// One of [`abi::event::fail`].
        reason: u64,
    },
    /// `PAGE_IN_FAILED`. The outcome does not matter.
    PageInFailed {
        /// The page.
        page: PageId,
        /// Its reference.
        block: BlockRef,
    },
    /// `MOVE_REFERENCE`. Outcome: Done, or Declined for NotFound or any error.
    MoveReference {
        /// The page.
        page: PageId,
        /// What the hypervisor holds.
        old: BlockRef,
        /// What it shall hold.
        new: BlockRef,
    },
    /// Set the request's status byte and `COMPLETE`. The outcome does not matter.
    Complete {
        /// The request.
        request: RequestId,
        /// How it went.
        status: Status,
        /// Set [`abi::command::complete::ASSOCIATE`].
        associate: bool,
    },
    /// `RETRY`: the store has room again, or may work again. The outcome does not matter.
    Retry {
        /// The domain whose page-out had failed.
        domain: u32,
    },
    /// A [`crate::Map::resolve_all`] of this disk has ended. The outcome does not matter.
    Resolved {
        /// The disk.
        disk: u16,
        /// False: references remain, because of I/O errors.
        ok: bool,
    },
}

/// What [`Op::Sync`] makes durable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Durable {
    /// The slots.
    Store,
    /// The journal.
    Journal,
    /// A disk image.
    Disk(u16),
}

/// How a guest's request went (virtio 1.2, section 5.2.6: OK or IOERR).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// VIRTIO_BLK_S_OK.
    Ok,
    /// VIRTIO_BLK_S_IOERR.
    IoError,
}

/// What came of an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The hypervisor did not want it (any more).
    Declined,
    /// The medium has no space for it at present, though nothing is wrong with the place (ENOSPC, EDQUOT).
    /// A write's only.
    NoRoom,
    /// An I/O error, or no such disk.
    Failed,
}
