//! The host, the store and the versions.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Versions of what is running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionInfo {
    /// The daemon's [`crate::VERSION`].
    pub protocol: u32,
    /// Version of the daemon's package.
    pub daemon: String,
    /// The ABI version that the daemon was built with.
    pub abi: u32,
    /// Version of the hypervisor; `None` if there is none.
    pub hypervisor: Option<String>,
    /// The ABI version of the hypervisor.
    pub hypervisor_abi: Option<u32>,
}

/// The host ([`abi::host::HostInfo`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// Version of the hypervisor.
    pub hypervisor: String,
    /// The ABI's version.
    pub abi: u32,
    /// `vmx` or `svm`.
    pub backend: String,
    /// Processor vendor string.
    pub cpu: String,
    /// Physical CPUs in use.
    pub cpus: u32,
    /// dom0's vCPUs.
    pub dom0_vcpus: u32,
    /// Frequency of the time-stamp counter.
    pub tsc_hz: u64,
    /// Since the hypervisor started.
    pub uptime_ns: u64,
    /// All RAM.
    pub ram_bytes: u64,
    /// dom0's.
    pub dom0_bytes: u64,
    /// For domains.
    pub pool_bytes: u64,
    /// Free, of those.
    pub free_bytes: u64,
    /// The hypervisor's own.
    pub own_bytes: u64,
    /// Domains, without dom0.
    pub domains: u32,
    /// Largest number of domains.
    pub max_domains: u32,
    /// The hypervisor's command line.
    pub command_line: String,
}

/// The swap store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    /// File or block device.
    pub path: PathBuf,
    /// Size.
    pub size_bytes: u64,
    /// Blocks in use, in bytes.
    pub used_bytes: u64,
    /// Blocks that can be used, in bytes.
    #[serde(default)]
    pub free_bytes: u64,
    /// Blocks that could not be written and are not used any more, in bytes.
    #[serde(default)]
    pub broken_bytes: u64,
    /// References to blocks of the store, from pages.
    pub page_references: u64,
    /// References to blocks of the store, from disks.
    pub disk_references: u64,
    /// Bytes read since the daemon started.
    pub read_bytes: u64,
    /// Bytes written since the daemon started, to blocks and to the journal.
    pub write_bytes: u64,
    /// Of those, to the journal.
    #[serde(default)]
    pub journal_bytes: u64,
    /// References that were made durable together, at guests' flushes or for want of room.
    #[serde(default)]
    pub commits: u64,
    /// Blocks of disks that were copied home because nobody uses the disk any more.
    #[serde(default)]
    pub resolved: u64,
    /// Page-outs refused because the store was full.
    pub full: u64,
    /// Read and write errors.
    pub errors: u64,
    /// The journal of references.
    #[serde(default)]
    pub journal: Journal,
    /// The disks that are open.
    #[serde(default)]
    pub disks: Vec<StoreDisk>,
}

/// How the journal of references is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Journal {
    /// It is written.
    #[default]
    Well,
    /// The last append failed: no references are made until one succeeds.
    Failing,
}

/// A disk that may have blocks in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreDisk {
    /// The image.
    pub path: PathBuf,
    /// Its blocks that are references.
    pub references: u64,
    /// Domains that use it.
    pub domains: Vec<u32>,
    /// Its blocks are being copied home.
    pub resolving: bool,
}
