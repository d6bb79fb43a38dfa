//! Domains as clients see them.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// State of a domain ([`abi::domain::state`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Built, not started.
    Building,
    /// Runs, or waits for an event.
    Running,
    /// Stopped by dom0, resumable.
    Paused,
    /// Ended; the reason says why.
    Ended,
    /// Being torn down.
    Dying,
}

/// Why a domain ended ([`abi::domain::reason`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// It has not ended.
    None,
    /// The guest powered itself off.
    PowerOff,
    /// The guest asked for a reset.
    Reset,
    /// It was killed.
    Killed,
    /// Triple fault.
    TripleFault,
    /// An instruction that cannot be emulated. Detail: guest-physical address.
    Emulation,
    /// An access where there is nothing. Detail: guest-physical address.
    BadAddress,
    /// The processor refused the guest's state. Detail: exit or error code.
    BadState,
    /// An exit that the hypervisor does not handle. Detail: exit code.
    UnknownExit,
    /// A virtqueue broke the specification. Detail: slot << 32 | queue.
    BadVirtqueue,
    /// The store could not give a page back. Detail: page.
    StoreError,
    /// No frame could be found. Detail: page.
    OutOfMemory,
    /// The guest gave an exit code. Detail: the code.
    GuestExit,
    /// A reason that this version does not know.
    Unknown,
}

/// What to do when a domain ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Remove it.
    #[default]
    Destroy,
    /// Build it again from its file and start it.
    Restart,
    /// Leave it in state Ended, to be looked at; `kill` removes it.
    Keep,
}

/// The switches of Tesseract's reconciliation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    /// Block writes of swapped pages become references.
    pub r1: bool,
    /// Clean pages are dropped without a write.
    pub r2: bool,
    /// Block reads into swapped pages get fresh frames.
    pub r3: bool,
}

impl Default for Reconcile {
    fn default() -> Self {
        Self { r1: true, r2: true, r3: true }
    }
}

/// One line of `cube list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Identifier, from 1.
    pub id: u32,
    /// Name.
    pub name: String,
    /// State.
    pub state: State,
    /// Why it ended.
    pub reason: Reason,
    /// As told at the reason.
    pub detail: u64,
    /// vCPUs.
    pub vcpus: u32,
    /// Guest-physical memory.
    pub memory_bytes: u64,
    /// Memory limit.
    pub limit_bytes: u64,
    /// Resident memory.
    pub resident_bytes: u64,
    /// Swapped memory.
    pub swapped_bytes: u64,
    /// Time that its vCPUs ran.
    pub cpu_time_ns: u64,
}

/// Kind of a virtual device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// virtio-blk.
    Block,
    /// virtio-console.
    Console,
    /// virtio-rng.
    Entropy,
    /// virtio-balloon.
    Balloon,
}

/// A virtual device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Device {
    /// virtio-mmio slot.
    pub slot: u32,
    /// Kind.
    pub kind: DeviceKind,
    /// The guest's driver is ready.
    pub ready: bool,
    /// Serial of a disk (what the guest sees in `/dev/disk/by-id`).
    pub serial: Option<String>,
    /// File or block device behind a disk.
    pub path: Option<PathBuf>,
    /// The guest cannot write it.
    pub readonly: bool,
    /// Size of a disk.
    pub size_bytes: Option<u64>,
}

/// All about one domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Domain {
    /// As in `cube list`.
    #[serde(flatten)]
    pub summary: Summary,
    /// The reason and its detail as a sentence; empty while it has not ended.
    pub reason_text: String,
    /// The file that it was created from.
    pub file: Option<PathBuf>,
    /// Kernel.
    pub kernel: Option<PathBuf>,
    /// Initial file system.
    pub initrd: Option<PathBuf>,
    /// Kernel command line.
    pub cmdline: Option<String>,
    /// When the guest asks for a reset.
    pub on_reboot: Policy,
    /// When it ends by a fault.
    pub on_crash: Policy,
    /// How often it was restarted by policy.
    pub restarts: u64,
    /// Reconciliation.
    pub reconcile: Reconcile,
    /// Memory in the balloon.
    pub ballooned_bytes: u64,
    /// Balloon target.
    pub balloon_target_bytes: u64,
    /// Frames used for nested tables and page states.
    pub tables_bytes: u64,
    /// Devices by slot.
    pub devices: Vec<Device>,
}
