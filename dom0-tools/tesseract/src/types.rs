//! The nouns that the map and its executor share. Plain data; depends on nothing but the ABI.

use abi::BlockRef;

/// Bytes of a page, a slot and a disk block.
pub const BLOCK: u64 = 4096;
/// [`BLOCK`] where lengths are 32 bits wide.
pub const BLOCK_LEN: u32 = 4096;
/// Bytes of a sector, the unit in which guests address disks (virtio 1.2, section 5.2).
pub const SECTOR: u64 = 512;

/// A page of a domain, as the hypervisor names it in events.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct PageId {
    /// The domain.
    pub domain: u32,
    /// The hypervisor's opaque name of the page.
    pub page: u64,
}

/// A live virtqueue request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord)]
pub struct RequestId {
    /// The domain whose request it is.
    pub domain: u32,
    /// The hypervisor's name of the request.
    pub request: u64,
}

/// Where bytes rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Medium {
    /// The slots of the swap store; offset 0 is slot 0.
    Store,
    /// A guest's raw disk image, by unit number.
    Disk(u16),
}

/// A run of bytes at rest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Extent {
    /// On what.
    pub medium: Medium,
    /// First byte. A multiple of 512.
    pub offset: u64,
    /// Bytes. A multiple of 512, not 0.
    pub len: u32,
}

impl Extent {
    /// The 4 KiB of a slot.
    #[must_use]
    pub const fn slot(slot: u64) -> Self {
        Self { medium: Medium::Store, offset: slot * BLOCK, len: BLOCK_LEN }
    }

    /// The 4 KiB of a disk block.
    #[must_use]
    pub const fn block(disk: u16, lba: u64) -> Self {
        Self { medium: Medium::Disk(disk), offset: lba * BLOCK, len: BLOCK_LEN }
    }

    /// Where the content that `block` names rests; `None` if it is neither a slot nor a disk block.
    #[must_use]
    pub const fn of(block: BlockRef) -> Option<Self> {
        match block.kind() {
            BlockRef::SWAP => Some(Self::slot(block.block())),
            BlockRef::DISK => Some(Self::block(block.unit(), block.block())),
            _ => None,
        }
    }

    /// First byte after the run.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.offset + self.len as u64
    }

    /// `len` bytes from byte `skip` of this run.
    #[must_use]
    pub(crate) const fn part(&self, skip: u32, len: u32) -> Self {
        Self { medium: self.medium, offset: self.offset + skip as u64, len }
    }
}

/// Where a piece of a write comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Device-readable bytes of a live request, from byte `at` (`COPY_OUT`).
    Request {
        /// The request.
        request: RequestId,
        /// First byte, counted in the device-readable part.
        at: u32,
    },
    /// A page whose page-out is live (`COPY_PAGE`); always 4096 bytes.
    Page(PageId),
    /// Bytes at rest, of the same length as the piece.
    Host(Extent),
    /// Zeroes.
    Zero,
}

/// A piece of a write: `len` bytes from `source`. The pieces of a write follow each other without gaps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Bytes; a multiple of 512, not 0.
    pub len: u32,
    /// Their origin.
    pub source: Source,
}

/// What a run of a guest's write holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Payload {
    /// Bytes in guest memory at byte `at` of the device-readable part.
    Data {
        /// First byte, counted in the device-readable part.
        at: u32,
        /// The page, if the run is exactly one whole page.
        page: Option<u64>,
    },
    /// A whole swapped page (4096 bytes) whose content is `block`.
    Reference {
        /// The page.
        page: u64,
        /// Its content as the hypervisor told it.
        block: BlockRef,
    },
    /// Zeroes.
    Zero,
}

/// A run of a guest's write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WriteSegment {
    /// Bytes.
    pub len: u32,
    /// Their content.
    pub payload: Payload,
}

/// A run of a guest's read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadSegment {
    /// Bytes.
    pub len: u32,
    /// First byte, counted in the device-writable part.
    pub at: u32,
    /// The page, if the run is exactly one whole page.
    pub page: Option<u64>,
    /// R3: the reference of the page's old content, which nobody needs any more.
    pub drops: Option<BlockRef>,
}
