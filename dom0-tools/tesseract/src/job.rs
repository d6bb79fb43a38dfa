//! A job: one contiguous range of one disk that is read, written, zeroed or resolved.
//!
//! Life: queued for its range, preserving (writers: nobody may depend on the old content when
//! it changes), running its I/O, journalling, finished.

use crate::backoff::Backoff;
use crate::map::disk_ref;
pub(crate) use crate::queue::JobId;
use crate::state::{PreservedBlocks, Request};
use crate::{BLOCK, ReadSegment, Record, RequestId};
use abi::BlockRef;

/// What a run of a write holds; pins stand for referenced pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Request { at: u32 },
    Pinned(u32),
    Zero,
}

/// A run of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) len: u32,
    pub(crate) content: Content,
}

/// What a job does.
#[derive(Debug)]
pub(crate) enum Kind {
    Read(Vec<ReadSegment>),
    Write(Vec<Run>),
    /// `ranges` (first byte, bytes) that are still to be zeroed lie inside the job's range.
    Zero {
        unmap: bool,
        ranges: Vec<(u64, u64)>,
    },
    Resolve,
}

/// Where a job is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Queued,
    Preserve,
    Io,
    Journal,
}

/// State of a block that is being preserved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Preserved {
    /// Being copied to the slot.
    Copying(u64),
    /// The slot holds the old content.
    Ready(u64),
}

impl Preserved {
    pub(crate) const fn slot(self) -> u64 {
        match self {
            Self::Copying(slot) | Self::Ready(slot) => slot,
        }
    }
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    /// `None`: resolve-all's, or its domain is gone.
    pub(crate) request: Option<RequestId>,
    /// What the request of a domain that is gone leaves to be tidied up.
    pub(crate) orphan: Option<Request>,
    pub(crate) disk: u16,
    pub(crate) offset: u64,
    pub(crate) len: u64,
    pub(crate) kind: Kind,
    pub(crate) phase: Phase,
    /// Actions that have not been completed.
    pub(crate) outstanding: u32,
    pub(crate) failed: bool,
    pub(crate) preserved: PreservedBlocks,
    /// There was no room for what it must preserve.
    pub(crate) crowded: Backoff,
    /// Disk blocks that its writes read: they stay as they are until the last of those is done.
    pub(crate) busy: Vec<BlockRef>,
    /// To be journalled after the I/O.
    pub(crate) records: Vec<Record>,
    /// Slots that those records let go of: held until they are written.
    pub(crate) released: Vec<u64>,
    /// Number of pins.
    pub(crate) pins: u32,
    /// References that it makes, and offered pages that it copies: counted when it has succeeded.
    pub(crate) hits: u64,
    pub(crate) copies: u64,
}

impl Job {
    pub(crate) fn new(request: Option<RequestId>, disk: u16, offset: u64, len: u64, kind: Kind) -> Self {
        Self {
            request,
            orphan: None,
            disk,
            offset,
            len,
            kind,
            phase: Phase::Queued,
            outstanding: 0,
            failed: false,
            preserved: PreservedBlocks::new(),
            crowded: Backoff::default(),
            busy: Vec::new(),
            records: Vec::new(),
            released: Vec::new(),
            pins: 0,
            hits: 0,
            copies: 0,
        }
    }

    /// First block.
    pub(crate) const fn first(&self) -> u64 {
        self.offset / BLOCK
    }

    /// Block after the last.
    pub(crate) const fn end(&self) -> u64 {
        (self.offset + self.len).div_ceil(BLOCK)
    }

    /// Its blocks, and how many.
    pub(crate) fn range(&self) -> (BlockRef, u64) {
        (disk_ref(self.disk, self.first()), self.end() - self.first())
    }

    pub(crate) const fn writes(&self) -> bool {
        !matches!(self.kind, Kind::Read(_))
    }
}
