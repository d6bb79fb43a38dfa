//! The map's settings and the small records of its running operations.

use crate::job::{JobId, Preserved};
use crate::queue::Queue;
use crate::{PageId, RequestId};
use abi::BlockRef;
use std::collections::BTreeMap;

/// Sizes and bounds. `Config::new` gives sensible ones for a number of slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Slots of the store.
    pub slots: u64,
    /// Slots that page-outs leave for what guests' writes must preserve.
    pub reserve: u64,
    /// Most pages that one page-in brings, itself included. 1: no read-around.
    pub read_around: u64,
    /// Longest single read or write, in bytes; at least 4096.
    pub max_run: u32,
    /// Most disk blocks with a reference; more are copied home instead.
    pub max_refs: usize,
}

impl Config {
    /// Defaults for a store of `slots` slots.
    #[must_use]
    pub fn new(slots: u64) -> Self {
        Self {
            slots,
            reserve: (slots / 64).min(1024),
            read_around: 16,
            max_run: 256 << 10,
            max_refs: usize::try_from(slots).unwrap_or(usize::MAX),
        }
    }
}

/// The redundancies that are removed for a domain (numbers as in the literature on double paging).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Switches {
    /// A guest's write of a swapped page becomes a reference. Off: its content is copied home.
    pub r1: bool,
    /// Clean pages are dropped without a write. Off: no names are given to clean pages.
    pub r2: bool,
    /// Whole-page reads into swapped pages get fresh frames. The hypervisor does that; kept here
    /// so that one structure tells all.
    pub r3: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            r1: true,
            r2: true,
            r3: true,
        }
    }
}

/// Why a call was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The disk is not attached; attach it first.
    NoDisk(u16),
    /// A disk with this number is attached already.
    DiskInUse(u16),
    /// Requests on the disk are live; wait for them.
    Busy(u16),
    /// Blocks of the disk refer to the store; resolve them first.
    HasReferences(u16),
    /// Swapped pages depend on blocks of the disk; end their domain first.
    HasDependents(u16),
    /// A reference beyond the end of the disk: the image was shortened; do not use it.
    BeyondEnd {
        /// The disk.
        disk: u16,
        /// The block.
        lba: u64,
    },
    /// A reference to a slot that the store does not have: wrong store or stale journal.
    NoSuchSlot(u64),
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoDisk(d) => write!(f, "disk {d} is not attached: attach it first"),
            Self::DiskInUse(d) => {
                write!(f, "disk number {d} is taken: detach it or choose another")
            }
            Self::Busy(d) => write!(f, "disk {d} has live requests: wait for them to end"),
            Self::HasReferences(d) => write!(
                f,
                "disk {d} refers to the store: resolve its references first"
            ),
            Self::HasDependents(d) => write!(
                f,
                "swapped pages depend on disk {d}: stop the domain that uses it first"
            ),
            Self::BeyondEnd { disk, lba } => {
                write!(
                    f,
                    "disk {disk} is shorter than its references (block {lba}): the image was changed; restore it"
                )
            }
            Self::NoSuchSlot(s) => write!(
                f,
                "slot {s} does not exist: the journal does not belong to this store"
            ),
        }
    }
}

impl std::error::Error for Error {}

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
        busy: Vec<BlockRef>,
    },
    Journal {
        job: JobId,
    },
    Flush {
        disk: u16,
    },
}

/// A page that is being read in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loading {
    /// The guest asked for it before the read was handed out.
    pub(crate) demanded: bool,
    /// The guest asked for it since.
    pub(crate) again: bool,
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
}

/// Who waits for a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    Request(RequestId),
    Map,
    Resolve,
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
    pub(crate) waiters: Vec<Waiter>,
}

/// A resolve-all under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ResolveRun {
    pub(crate) next: u64,
    pub(crate) failed: bool,
}

/// A guest's live request.
#[derive(Default, Debug)]
pub(crate) struct Request {
    pub(crate) jobs: u32,
    pub(crate) failed: bool,
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
