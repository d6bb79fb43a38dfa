//! Commands: what dom0 asks of the hypervisor. Worked off in order; results are written in place.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// One entry of the command ring.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Command {
    /// An operation of [`op`].
    pub op: u32,
    /// The domain that the operation is about; 0 (dom0) where there is none.
    pub domain: u32,
    /// Arguments, as told at each operation; unused ones must be 0.
    pub args: [u64; 5],
    /// Written by the hypervisor: a non-negative value, or a [`crate::Error`] code.
    pub result: i64,
}

const _: () = assert!(size_of::<Command>() == 64 - 8);

/// The command as it lies in the ring: padded to 64 bytes.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct CommandEntry {
    /// The command.
    pub command: Command,
    /// dom0's own; the hypervisor neither reads nor writes it.
    pub cookie: u64,
}

const _: () = assert!(size_of::<CommandEntry>() == 64);

/// Operation codes. "buffer" is a physical address in dom0's memory; a buffer may cross 4 KiB
/// pages but must lie in memory that dom0 owns, else [`crate::Error::BadBuffer`].
pub mod op {
    // --- the host ---
    /// Nothing; result 0.
    pub const NOP: u32 = 0;
    /// args: buffer. Writes a [`crate::host::HostInfo`]; result: bytes written.
    pub const HOST_INFO: u32 = 1;
    /// args: cursor (bytes since boot), buffer, length. Copies the hypervisor's log from `cursor`
    /// (or the oldest byte kept); result: bytes copied in the low 32 bits. args[3] is written
    /// back with the cursor of the first byte copied.
    pub const READ_LOG: u32 = 2;
    /// args: buffer, length. Writes the identifiers of all domains but dom0 as u32; result: how many exist.
    pub const LIST_DOMAINS: u32 = 3;
    /// args: cursor, buffer, length. Like [`READ_LOG`], for the trace ring ([`crate::host::TraceRecord`]s).
    pub const READ_TRACE: u32 = 4;

    // --- building a domain ---
    /// args: vcpus, memory (pages), limit (pages), flags ([`crate::domain::DomainFlags`]), buffer
    /// of a 64-byte zero-padded UTF-8 name. Result: the new domain's identifier, 1 and up, in state Building.
    pub const CREATE: u32 = 16;
    /// args: slot, virtio device id, queues | queue_max << 16, feature bits offered, buffer of a
    /// [`crate::domain::DeviceConfig`]. Building only.
    pub const ADD_DEVICE: u32 = 17;
    /// args: gfn, buffer, pages (1 to 512). Copies whole pages into guest memory. Building only;
    /// afterwards nothing of the guest can be reached but through live objects. Result: pages copied.
    pub const LOAD: u32 = 18;
    /// args: buffer of a [`crate::domain::BootState`], for vCPU 0. Building only.
    pub const SET_BOOT_STATE: u32 = 19;
    /// Building or Paused to Running.
    pub const START: u32 = 20;
    /// Running to Paused.
    pub const PAUSE: u32 = 21;
    /// Ends the domain (any state); frees everything; bounded work a call: [`crate::Error::Again`]
    /// until done. Result 0 when gone.
    pub const DESTROY: u32 = 22;
    /// Presses the guest's power button (ACPI general event). Result 0.
    pub const POWER_BUTTON: u32 = 23;

    // --- a domain ---
    /// args: buffer. Writes a [`crate::domain::DomainInfo`]; result: bytes written.
    pub const DOMAIN_INFO: u32 = 32;
    /// args: pages. Sets the memory limit. What is above it is paged out from then on.
    pub const SET_LIMIT: u32 = 33;
    /// args: pages. Sets the balloon's target size, in pages that the guest shall give up.
    pub const SET_BALLOON: u32 = 34;
    /// args: flags. Sets the [`crate::domain::DomainFlags`].
    pub const SET_FLAGS: u32 = 35;
    /// args: first gfn, buffer, entries. Lists pages in state Swapped as
    /// [`crate::domain::SwappedPage`], ascending. Result: entries written, at most 4096. args[3] is written back
    /// with the gfn to go on from; `u64::MAX`: that was the end.
    pub const LIST_SWAPPED: u32 = 36;
    /// args: page, old reference, new reference. The content of a swapped page has moved. Result 0,
    /// or NotFound if the page is not Swapped with `old`.
    pub const MOVE_REFERENCE: u32 = 37;
    /// args: slot, buffer of a [`crate::domain::DeviceConfig`]. Changes a device's configuration
    /// space and tells the guest.
    pub const SET_DEVICE_CONFIG: u32 = 38;
    /// args: up to 32 bytes in args[1..5], length in args[0]. Input to the early 16550. Result: bytes taken.
    pub const UART_INPUT: u32 = 39;

    // --- live requests ---
    /// args: request, offset in the device-readable bytes, buffer, length. From guest to dom0.
    /// Bytes of Reference and Zero segments read as zero. Result: bytes copied.
    pub const COPY_OUT: u32 = 48;
    /// args: request, offset in the device-writable bytes, buffer, length. From dom0 to guest.
    pub const COPY_IN: u32 = 49;
    /// args: request, bytes written to the guest (the used ring's length), flags
    /// ([`super::complete`]). The request is live no more. Result 0.
    pub const COMPLETE: u32 = 50;

    // --- page-outs and page-ins ---
    /// args: page, buffer. Copies the 4 KiB of a page whose page-out is live. Result 4096, or
    /// Cancelled if the guest touched it.
    pub const COPY_PAGE: u32 = 64;
    /// args: page, reference. The content is safe under `reference`: the page is Swapped and its
    /// frame is freed. Result 0, or Cancelled: then `reference` is not held.
    pub const PAGE_OUT_DONE: u32 = 65;
    /// args: page, reason (a [`crate::event::fail`]). The store could not take it: the page is
    /// resident again, and the domain is not reclaimed until [`SET_LIMIT`] or [`RETRY`].
    pub const PAGE_OUT_FAILED: u32 = 66;
    /// args: page, reference, buffer, flags ([`super::page_in`]). Gives the 4 KiB of a page in
    /// state Swapped with that reference (asked for or not: read-around). Result: 1 if the page is resident
    /// now, 0 if the offer was declined; then the reference is held as before.
    pub const PAGE_IN_DONE: u32 = 67;
    /// args: page, reference. The content cannot be read: the domain that needs it ends (reason: store error).
    pub const PAGE_IN_FAILED: u32 = 68;
    /// The store has room again: go on reclaiming. Result 0.
    pub const RETRY: u32 = 69;
}

/// Flags of [`op::COMPLETE`].
pub mod complete {
    /// Every whole page of the request equals content that dom0 can name: pages that stayed clean
    /// since the request began become *associated* and are later offered as clean page-outs.
    pub const ASSOCIATE: u64 = 1;
}

/// Flags of [`op::PAGE_IN_DONE`].
pub mod page_in {
    /// dom0 keeps the reference: the page becomes associated, a later clean page-out may name it again.
    pub const KEEP: u64 = 1;
}
