//! Domains as dom0 sees them: building blocks, states, counters.

use crate::BlockRef;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

bitflags::bitflags! {
    /// Per-domain switches.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct DomainFlags: u64 {
        /// R1: a guest's block write of a swapped page hands dom0 the reference; off: the page is read in first.
        const R1 = 1;
        /// R2: clean associated pages are offered as clean page-outs; off: always with content.
        const R2 = 2;
        /// R3: a guest's block read into a swapped page gets a fresh frame; off: the page is read in first.
        const R3 = 4;
    }
}

/// States of a domain.
pub mod state {
    /// Being built by dom0; its memory can be loaded.
    pub const BUILDING: u32 = 0;
    /// Runs, or waits for an event.
    pub const RUNNING: u32 = 1;
    /// Stopped by dom0, resumable.
    pub const PAUSED: u32 = 2;
    /// The guest ended itself or was ended; its reason says why.
    pub const ENDED: u32 = 3;
    /// Being torn down.
    pub const DYING: u32 = 4;
}

/// Why a domain ended.
pub mod reason {
    /// It has not ended.
    pub const NONE: u32 = 0;
    /// The guest powered itself off.
    pub const POWER_OFF: u32 = 1;
    /// The guest asked for a reset.
    pub const RESET: u32 = 2;
    /// dom0 killed it.
    pub const KILLED: u32 = 3;
    /// Triple fault.
    pub const TRIPLE_FAULT: u32 = 4;
    /// An instruction that cannot be emulated on a device address. detail: guest-physical address.
    pub const EMULATION: u32 = 5;
    /// An access to a guest-physical address without memory or device. detail: the address.
    pub const BAD_ADDRESS: u32 = 6;
    /// The processor refused the guest's state. detail: exit or error code.
    pub const BAD_STATE: u32 = 7;
    /// An exit that the hypervisor has no handling for. detail: exit code.
    pub const UNKNOWN_EXIT: u32 = 8;
    /// A virtqueue broke the specification (loop, wild address, bad length). detail: slot << 32 | queue.
    pub const BAD_VIRTQUEUE: u32 = 9;
    /// The store could not give a page back. detail: page.
    pub const STORE_ERROR: u32 = 10;
    /// No frame could be found for it. detail: page.
    pub const OUT_OF_MEMORY: u32 = 11;
    /// The guest reported an exit code through [`crate::platform::EXIT_PORT`]. detail: the code.
    pub const GUEST_EXIT: u32 = 12;
}

/// How vCPU 0 starts.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BootState {
    /// One of [`boot_mode`].
    pub mode: u32,
    /// Zero.
    pub reserved: u32,
    /// First instruction (guest-virtual = guest-physical at that time).
    pub rip: u64,
    /// Stack pointer.
    pub rsp: u64,
    /// Linux 64-bit protocol: address of boot_params.
    pub rsi: u64,
    /// PVH: address of hvm_start_info.
    pub rbx: u64,
    /// [`boot_mode::LONG64`]: address of a page-table root that maps what is needed one to one.
    pub cr3: u64,
}

/// Values of [`BootState::mode`].
pub mod boot_mode {
    /// 64-bit mode, paging on, flat segments CS 0x10, DS 0x18, interrupts off (Linux boot
    /// protocol, 64-bit entry). The hypervisor sets the segment caches; the GDT register is empty.
    pub const LONG64: u32 = 1;
    /// 32-bit protected mode, paging off, flat segments (PVH start).
    pub const PROTECTED32: u32 = 2;
}

/// Configuration space of a virtio device.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DeviceConfig {
    /// Valid bytes in `bytes`.
    pub len: u32,
    /// Zero.
    pub reserved: u32,
    /// The configuration space (virtio 1.2, section 4.2.2, offset 0x100 and up).
    pub bytes: [u8; 248],
}

/// An entry of `LIST_SWAPPED`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct SwappedPage {
    /// The page.
    pub page: u64,
    /// Its content.
    pub block: BlockRef,
}

/// Exits of a domain, by reason, in the vendor-neutral terms of both back ends.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct ExitCounters {
    /// CPUID.
    pub cpuid: u64,
    /// RDMSR and WRMSR.
    pub msr: u64,
    /// IN and OUT.
    pub port: u64,
    /// HLT.
    pub halt: u64,
    /// VMCALL or VMMCALL.
    pub hypercall: u64,
    /// Accesses to emulated device memory.
    pub mmio: u64,
    /// Nested page faults on memory.
    pub fault: u64,
    /// Physical interrupts while the guest ran.
    pub interrupt: u64,
    /// Interrupt windows.
    pub window: u64,
    /// Everything else (control registers, XSETBV, INVD, exceptions).
    pub other: u64,
}

/// Everything that `DOMAIN_INFO` tells. Pages are 4 KiB; times are nanoseconds.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct DomainInfo {
    /// Identifier.
    pub domain: u32,
    /// [`state`].
    pub state: u32,
    /// [`reason`].
    pub reason: u32,
    /// vCPUs.
    pub vcpus: u32,
    /// See [`reason`].
    pub detail: u64,
    /// [`DomainFlags`].
    pub flags: u64,
    /// Name, UTF-8, zero padded.
    pub name: [u8; 64],
    /// Guest-physical memory.
    pub memory: u64,
    /// Memory limit.
    pub limit: u64,
    /// Resident pages (frames charged to the domain).
    pub resident: u64,
    /// Swapped pages.
    pub swapped: u64,
    /// Pages in the balloon.
    pub ballooned: u64,
    /// Pages between two states.
    pub in_flight: u64,
    /// Balloon target.
    pub balloon_target: u64,
    /// Frames used for nested tables and page states.
    pub tables: u64,
    /// Time that vCPUs ran.
    pub cpu_time: u64,
    /// Live virtqueue requests.
    pub live_requests: u64,
    /// Exits by reason.
    pub exits: ExitCounters,
    /// Demand-zero faults.
    pub demand_zero: u64,
    /// Pages read in because a vCPU touched them.
    pub swap_in: u64,
    /// Pages read in because a guest's I/O needed their content.
    pub swap_in_for_io: u64,
    /// Of `swap_in_for_io`: because a guest's block write needed whole pages (what R1 avoids).
    pub swap_in_for_write: u64,
    /// Pages that read-around brought.
    pub swap_in_around: u64,
    /// Bytes copied out to the store.
    pub swap_out_bytes: u64,
    /// Page-outs that found the page all zero.
    pub zero_drops: u64,
    /// R1: pages handed to dom0 as references in block writes.
    pub r1_hits: u64,
    /// R2: pages dropped without a copy.
    pub r2_drops: u64,
    /// R3: fresh frames for block reads into swapped pages.
    pub r3_fresh: u64,
    /// Page-outs cancelled because the page was touched.
    pub cancelled: u64,
    /// Longest time a vCPU waited for a page.
    pub worst_wait: u64,
    /// Sum of the times that vCPUs waited for pages.
    pub total_wait: u64,
    /// 2 MiB of its memory that are mapped as a whole now.
    pub large_pages: u64,
    /// How often 512 pages became one mapping.
    pub merges: u64,
    /// How often one mapping became 512 pages.
    pub splits: u64,
    /// The balloon driver's statistics by tag (virtio 1.2, section 5.5.6.4), `u64::MAX` where not reported.
    /// Asking for a domain's information also asks its guest for new ones, at most once a second.
    pub balloon_stats: [u64; 16],
}

const _: () = assert!(size_of::<DomainInfo>() <= 4096);
