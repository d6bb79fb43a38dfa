//! Events: what the hypervisor asks of dom0, or tells it.

use crate::BlockRef;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One entry of the event ring, 64 bytes.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Event {
    /// A kind of [`kind`].
    pub kind: u32,
    /// The domain concerned.
    pub domain: u32,
    /// As told at each kind; unused ones are 0.
    pub args: [u64; 7],
}

const _: () = assert!(size_of::<Event>() == 64);

/// Kinds of events.
pub mod kind {
    /// A virtqueue request is live. args: request, slot, queue, device-readable bytes,
    /// device-writable bytes, segments. The detail area holds a [`super::RequestDetail`].
    /// Answer: `COPY_OUT`/`COPY_IN` as needed, then `COMPLETE`.
    pub const REQUEST: u32 = 1;
    /// A page shall leave memory. args: page, flags ([`super::page_out`]).
    /// Answer: `PAGE_OUT_DONE` (after `COPY_PAGE` where the content has no name yet) or `PAGE_OUT_FAILED`.
    pub const PAGE_OUT: u32 = 2;
    /// A swapped page is needed. args: page, reference. Answer: `PAGE_IN_DONE` or `PAGE_IN_FAILED`.
    pub const PAGE_IN: u32 = 3;
    /// A swapped page's content is needed no more (ballooned, reported free). args: page, reference.
    /// No answer.
    pub const RELEASE: u32 = 4;
    /// Bytes from a guest's early 16550. args[0]: how many (1 to 48); the bytes follow in args[1..].
    /// Lost if the ring has no room. No answer.
    pub const UART: u32 = 5;
    /// A domain changed state by itself. args: new state, reason ([`crate::domain`]). No answer.
    pub const STATE: u32 = 6;
    /// A device was reset or its driver became ready. args: slot, virtio status byte. No answer.
    /// Live requests of a reset device are gone: answers to them get NotFound.
    pub const DEVICE_STATUS: u32 = 7;
}

/// Flags of a [`kind::PAGE_OUT`] event.
pub mod page_out {
    /// The page is unchanged since dom0 last named its content (`COMPLETE` with ASSOCIATE,
    /// `PAGE_IN_DONE` with KEEP): if dom0 still knows that name, no copy is needed.
    pub const CLEAN: u64 = 1;
}

/// Why a page-out failed.
pub mod fail {
    /// The store has no free block.
    pub const FULL: u64 = 1;
    /// The store reported an error.
    pub const IO: u64 = 2;
}

/// Most segments in a request; a chain that needs more ends its guest (reason `bad_virtqueue`).
pub const MAX_SEGMENTS: usize = 250;

/// Bytes of the device-readable part that are handed over with the event.
pub const HEADER_BYTES: usize = 64;

/// Detail of a [`kind::REQUEST`]: the first bytes of the device-readable part, then the segments.
/// The detail area holds this header followed by `segments` entries of [`Segment`].
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct RequestDetail {
    /// The first bytes of the device-readable part (a virtio-blk header, for example); zero filled.
    pub header: [u8; HEADER_BYTES],
    /// Number of segments that follow.
    pub segments: u32,
    /// How many bytes of `header` are the request's.
    pub header_len: u32,
    /// Zero.
    pub reserved: [u64; 7],
}

const _: () = assert!(size_of::<RequestDetail>() == 128);
const _: () = assert!(128 + MAX_SEGMENTS * size_of::<Segment>() <= crate::channel::DETAIL_SIZE as usize);

/// A run of bytes of a request. Device-readable segments come first; together they cover the
/// request's readable, then its writable bytes, in order, without holes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Segment {
    /// A kind of [`segment`].
    pub kind: u8,
    /// Flags of [`segment`].
    pub flags: u8,
    /// Zero.
    pub reserved: u16,
    /// Bytes: for a whole page 4096, for anything else up to the end of its page.
    pub len: u32,
    /// Opaque name of the page; only meaningful with [`segment::WHOLE_PAGE`]. Equal to the page
    /// named in page-out and page-in events.
    pub page: u64,
    /// Kind REFERENCE: the content. Kind DATA with [`segment::DROPS`]: the reference that this
    /// request makes superfluous; dom0 lets go of it when it completes the request.
    pub block: BlockRef,
    /// Offset of the first byte in the readable or writable part.
    pub offset: u32,
    /// Zero.
    pub reserved2: u32,
}

const _: () = assert!(size_of::<Segment>() == 32);

/// Segment kinds and flags.
pub mod segment {
    /// Kind: bytes in guest memory; `COPY_OUT`/`COPY_IN` move them.
    pub const DATA: u8 = 1;
    /// Kind: a whole swapped page, device-readable; its content is `block`. Nothing is read in.
    pub const REFERENCE: u8 = 2;
    /// Kind: a whole page that was never touched, device-readable: zeroes.
    pub const ZERO: u8 = 3;
    /// Flag: the device (dom0) writes these bytes.
    pub const WRITABLE: u8 = 1;
    /// Flag: exactly one aligned page.
    pub const WHOLE_PAGE: u8 = 2;
    /// Flag: see [`super::Segment::block`].
    pub const DROPS: u8 = 4;
}
