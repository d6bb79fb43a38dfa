//! The host as dom0 sees it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What `HOST_INFO` tells. Frames are 4 KiB.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct HostInfo {
    /// The ABI's version.
    pub abi_version: u32,
    /// 1: VMX and EPT; 2: SVM and NPT.
    pub vendor: u32,
    /// Physical CPUs in use.
    pub cpus: u32,
    /// dom0's vCPUs.
    pub dom0_vcpus: u32,
    /// Frequency of the time-stamp counter.
    pub tsc_hz: u64,
    /// Nanoseconds since the hypervisor started.
    pub uptime: u64,
    /// All RAM that the firmware reported.
    pub ram: u64,
    /// Frames of dom0.
    pub dom0: u64,
    /// Frames in the hypervisor's pool for domains.
    pub pool: u64,
    /// Free frames of the pool.
    pub free: u64,
    /// Frames of the hypervisor itself: image, heap, records.
    pub own: u64,
    /// Domains, without dom0.
    pub domains: u32,
    /// Largest number of domains.
    pub max_domains: u32,
    /// Processor vendor string, zero padded.
    pub cpu: [u8; 16],
    /// Version of the hypervisor, zero padded.
    pub version: [u8; 32],
    /// The hypervisor's command line, zero padded.
    pub command_line: [u8; 256],
}

/// One record of the trace ring.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TraceRecord {
    /// Time-stamp counter.
    pub tsc: u64,
    /// What happened.
    pub kind: u16,
    /// Physical CPU.
    pub cpu: u16,
    /// Domain.
    pub domain: u16,
    /// vCPU.
    pub vcpu: u16,
    /// Two values, as told at the kind.
    pub args: [u64; 2],
}
