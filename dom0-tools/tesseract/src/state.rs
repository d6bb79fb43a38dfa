//! The small records of running operations.

use crate::job::{JobId, Preserved};
use crate::queue::Queue;
use crate::{PageId, RequestId};
use abi::BlockRef;
use std::collections::{BTreeMap, BTreeSet};

/// A pin: a job's index-th referenced page.
pub(crate) type PinId = (JobId, u32);

/// What an action's completion leads to.
#[derive(Debug)]
pub(crate) enum Pending {
    Nothing,
    SavePage {
        page: PageId,
        slot: u64,
    },
    PageOut {
        page: PageId,
        block: BlockRef,
        named: bool,
    },
    Load {
        page: PageId,
        block: BlockRef,
        keep: bool,
    },
    Preserve {
        job: JobId,
        lba: u64,
    },
    Move {
        page: PageId,
        old: BlockRef,
        new: BlockRef,
    },
    Io {
        job: JobId,
    },
    /// `None`: nobody waits.
    Journal {
        job: Option<JobId>,
    },
    /// A job that wants to know whether the journal is well.
    Ask {
        job: JobId,
    },
    Flush {
        disk: u16,
        part: FlushPart,
    },
}

/// What an action of a flush does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlushPart {
    /// Appends to the journal.
    Append,
    /// Makes the store, slots and journal, durable.
    Store,
    /// Makes the image durable.
    Image,
}

/// A page that is being read in.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Loading {
    /// The guest asked for it before the read was handed out.
    pub(crate) demanded: bool,
    /// The guest asked for it since.
    pub(crate) again: bool,
    /// How often it was offered in vain.
    pub(crate) tries: u32,
}

/// A disk.
#[derive(Default, Debug)]
pub(crate) struct Disk {
    pub(crate) bytes: u64,
    pub(crate) queue: Queue,
    pub(crate) flush: Option<FlushRun>,
    pub(crate) waiting: Vec<Waiter>,
    pub(crate) resolve: Option<ResolveRun>,
    /// The last commit failed: waiting for another frees nothing.
    pub(crate) commit_failed: bool,
    /// Bytes of it did not become durable, and no guest was told: the next flush that one asks for must not succeed.
    pub(crate) untold: bool,
}

/// Who waits for a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    Request(RequestId),
    Map,
    Resolve,
}

impl Waiter {
    /// A guest asked, and will be told.
    pub(crate) const fn is_guest(&self) -> bool {
        matches!(self, Self::Request(_))
    }
}

/// Where a flush is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FlushStep {
    /// Image, slots and mark are under way; `None`: nothing to commit, the image alone.
    Data(Option<u64>),
    /// The commit record is under way.
    Commit(u64),
    /// The commit record is being made durable.
    Seal(u64),
}

/// A flush under way.
#[derive(Debug)]
pub(crate) struct FlushRun {
    pub(crate) step: FlushStep,
    pub(crate) left: u32,
    pub(crate) failed: bool,
    /// Bytes may have been lost: guests that wait are to be told so, whatever comes of the rest.
    pub(crate) lost: bool,
    pub(crate) waiters: Vec<Waiter>,
}

/// A resolve-all under way.
#[derive(Default, Debug)]
pub(crate) struct ResolveRun {
    pub(crate) next: u64,
    pub(crate) failed: bool,
    /// Blocks whose homes have, or are getting, what their slots hold. A sync of the image that fails empties it.
    pub(crate) copied: BTreeSet<u64>,
    /// They are durable there: now the journal is told.
    pub(crate) durable: bool,
}

/// A guest's live request.
#[derive(Default, Debug)]
pub(crate) struct Request {
    /// Slots that the request lets go of when it ends.
    pub(crate) drops: Vec<u64>,
    /// Whole pages of guest memory that the request moves.
    pub(crate) pages: Vec<PageUse>,
    /// The request writes guest memory.
    pub(crate) reads: bool,
}

/// A whole page in a request, and the disk block that it corresponds to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PageUse {
    pub(crate) page: PageId,
    /// `None`: not aligned on the disk.
    pub(crate) block: Option<BlockRef>,
}

/// Preserved blocks of a job, by block number.
pub(crate) type PreservedBlocks = BTreeMap<u64, Preserved>;
