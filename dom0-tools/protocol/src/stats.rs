//! Counters of a domain.
//!
//! The hypervisor's counters grow from 0 at creation, dom0's from 0 when the daemon begins. Those that no
//! part of the system counts yet are `null`.

use crate::State;
use serde::{Deserialize, Serialize};

/// One sample of everything that is counted for a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Identifier.
    pub id: u32,
    /// Name.
    pub name: String,
    /// State.
    pub state: State,
    /// When the sample was taken: nanoseconds since the hypervisor started.
    pub time_ns: u64,
    /// Time that its vCPUs ran.
    pub cpu_time_ns: u64,
    /// vCPUs.
    pub vcpus: u32,
    /// Live virtqueue requests.
    pub live_requests: u64,
    /// Where its memory is.
    pub memory: Memory,
    /// Paging and reconciliation.
    pub counters: Counters,
    /// Exits by reason.
    pub exits: Exits,
    /// What the guest's balloon driver tells; `null` if it tells nothing.
    pub balloon: Option<BalloonStats>,
    /// Devices by slot.
    pub devices: Vec<DeviceStats>,
}

/// Where a domain's memory is, in bytes. `resident + swapped + ballooned + in_flight` is at most
/// `memory`; the rest was never touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Guest-physical memory.
    pub memory_bytes: u64,
    /// Memory limit.
    pub limit_bytes: u64,
    /// Resident.
    pub resident_bytes: u64,
    /// Swapped.
    pub swapped_bytes: u64,
    /// In the balloon.
    pub ballooned_bytes: u64,
    /// Between two states.
    pub in_flight_bytes: u64,
    /// Balloon target.
    pub balloon_target_bytes: u64,
    /// Nested tables and page states; not part of the guest's memory.
    pub tables_bytes: u64,
}

/// Paging and reconciliation. Pages of 4 KiB unless the name says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counters {
    /// Pages read in because a vCPU touched them.
    pub swap_in: u64,
    /// Pages read in because a guest's I/O needed their content.
    pub swap_in_for_io: u64,
    /// Of those: because a guest's block write needed whole pages (what R1 avoids).
    pub swap_in_for_write: u64,
    /// Pages that read-around brought.
    pub swap_in_around: u64,
    /// Bytes copied out to the store.
    pub swap_out_bytes: u64,
    /// Page-outs that found the page all zero.
    pub zero_drops: u64,
    /// First touches of absent pages.
    pub demand_zero: u64,
    /// Page-outs cancelled because the page was touched.
    pub cancelled: u64,
    /// R1: pages that the hypervisor offered to dom0 as references, again to each daemon.
    pub r1_offers: u64,
    /// R1: blocks written by the guest that became references. dom0 counts.
    pub r1_hits: Option<u64>,
    /// R1: offered pages, or parts of them, that were copied to the disk instead. dom0 counts.
    pub r1_copies: Option<u64>,
    /// R2: pages dropped without a copy.
    pub r2_drops: u64,
    /// R3: fresh frames for block reads into swapped pages.
    pub r3_fresh: u64,
    /// R4: disk blocks copied to the store before a write of the guest changed them. dom0 counts.
    pub preserved: Option<u64>,
    /// 2 MiB of its memory that are mapped as a whole now.
    pub large_pages: u64,
    /// How often 512 pages became one mapping.
    pub merges: u64,
    /// How often one mapping became 512 pages.
    pub splits: u64,
    /// Swapped pages overwritten whole by the guest without being read. Not counted yet: `null`.
    pub false_reads_avoided: Option<u64>,
    /// Blocks of the guest's disks that are references now.
    pub ref_lbas: Option<u64>,
    /// Runs of adjacent blocks per guest read, on average: 1 is a whole disk.
    pub runs_per_guest_read: Option<f64>,
    /// Blocks moved by the defragmenter. Not counted yet: `null`.
    pub defrag_moved: Option<u64>,
    /// Of a domain that has ended: how long it took to copy its disks' references home, in milliseconds.
    pub resolve_all_ms: Option<u64>,
    /// Longest time a vCPU waited for a page.
    pub worst_wait_ns: u64,
    /// Sum of the times that vCPUs waited for pages.
    pub total_wait_ns: u64,
}

/// Exits by reason ([`abi::domain::ExitCounters`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exits {
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
    /// Everything else.
    pub other: u64,
}

impl Exits {
    /// All exits together.
    #[must_use]
    pub fn total(&self) -> u64 {
        [
            self.cpuid,
            self.msr,
            self.port,
            self.halt,
            self.hypercall,
            self.mmio,
            self.fault,
            self.interrupt,
            self.window,
            self.other,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// The balloon driver's statistics by tag (virtio 1.2, section 5.5.6.4; the last six are of 1.3).
/// `null` where the driver does not report one. Since the guest's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalloonStats {
    /// Tag 0: bytes that the guest swapped in.
    pub swap_in_bytes: Option<u64>,
    /// Tag 1: bytes that the guest swapped out.
    pub swap_out_bytes: Option<u64>,
    /// Tag 2: major faults.
    pub major_faults: Option<u64>,
    /// Tag 3: minor faults.
    pub minor_faults: Option<u64>,
    /// Tag 4: free memory.
    pub free_bytes: Option<u64>,
    /// Tag 5: all memory.
    pub total_bytes: Option<u64>,
    /// Tag 6: memory available without swapping.
    pub available_bytes: Option<u64>,
    /// Tag 7: file caches.
    pub caches_bytes: Option<u64>,
    /// Tag 8: huge pages allocated.
    pub hugetlb_allocations: Option<u64>,
    /// Tag 9: huge pages not to be had.
    pub hugetlb_failures: Option<u64>,
    /// Tag 10: processes killed for want of memory.
    pub oom_kills: Option<u64>,
    /// Tag 11: allocations that stalled.
    pub allocation_stalls: Option<u64>,
    /// Tag 12: pages scanned in the background.
    pub async_scans: Option<u64>,
    /// Tag 13: pages scanned by allocators.
    pub direct_scans: Option<u64>,
    /// Tag 14: pages reclaimed in the background.
    pub async_reclaims: Option<u64>,
    /// Tag 15: pages reclaimed by allocators.
    pub direct_reclaims: Option<u64>,
}

/// Counters of one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStats {
    /// virtio-mmio slot.
    pub slot: u32,
    /// Kind.
    pub kind: crate::DeviceKind,
    /// Serial of a disk.
    pub serial: Option<String>,
    /// What it did.
    #[serde(flatten)]
    pub counters: DeviceCounters,
}

/// What a device did. A block device: requests; a console: buffers; entropy: reads only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCounters {
    /// Requests that read (input of a console).
    pub reads: u64,
    /// Requests that write (output of a console).
    pub writes: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Flushes.
    pub flushes: u64,
    /// Discards and writes of zeroes.
    pub discards: u64,
    /// Requests answered with an error.
    pub errors: u64,
}
