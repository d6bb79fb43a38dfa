//! A domain as its file describes it, checked.

use protocol::{Policy, Reconcile};
use std::path::PathBuf;

/// Most vCPUs of a domain.
pub const MAX_VCPUS: u32 = 32;
/// Least memory and least memory limit, in bytes.
pub const MIN_MEMORY: u64 = 1 << 20;
/// Most memory, in bytes.
pub const MAX_MEMORY: u64 = 256 << 30;
/// Longest name, in bytes: one less than the ABI's field, so that it stays zero terminated.
pub const MAX_NAME: usize = 63;
/// Longest serial of a disk, in bytes (virtio 1.2, section 5.2.6: VIRTIO_BLK_T_GET_ID).
pub const MAX_SERIAL: usize = 20;

/// A domain, from [`crate::config::check`]: every value is in its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// 1 to [`MAX_NAME`] of `A-Z a-z 0-9 . _ -`, beginning with a letter.
    pub name: String,
    /// 1 to [`MAX_VCPUS`].
    pub vcpus: u32,
    /// Guest-physical memory in bytes: whole pages, [`MIN_MEMORY`] to [`MAX_MEMORY`].
    pub memory: u64,
    /// Memory limit in bytes: whole pages, [`MIN_MEMORY`] to `memory`.
    pub limit: u64,
    /// Kernel, an absolute path if the domain file's was.
    pub kernel: PathBuf,
    /// Initial file system.
    pub initrd: Option<PathBuf>,
    /// Kernel command line without control characters.
    pub cmdline: String,
    /// Disks, in the order in which the guest finds them.
    pub disks: Vec<Disk>,
    /// Has a virtio console.
    pub console: bool,
    /// Has a virtio entropy source.
    pub entropy: bool,
    /// Has a virtio balloon.
    pub balloon: bool,
    /// When the guest asks for a reset.
    pub on_reboot: Policy,
    /// When it ends by a fault.
    pub on_crash: Policy,
    /// Reconciliation at the start.
    pub reconcile: Reconcile,
}

/// A disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Raw file or block device.
    pub path: PathBuf,
    /// The guest cannot write it.
    pub readonly: bool,
    /// What the guest sees as its serial: 1 to [`MAX_SERIAL`] of the characters of a name; unique in the domain.
    pub serial: String,
}
