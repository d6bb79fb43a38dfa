//! What is written down of a domain for the next daemon.

use protocol::{DeviceKind, Policy};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A domain, as it was created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Identifier.
    pub id: u32,
    /// Name.
    pub name: String,
    /// The domain file's path.
    pub file: PathBuf,
    /// The domain file's text, to build it again from.
    pub text: String,
    /// Kernel.
    pub kernel: PathBuf,
    /// Initial file system.
    pub initrd: Option<PathBuf>,
    /// Kernel command line.
    pub cmdline: String,
    /// When the guest asks for a reset.
    pub on_reboot: Policy,
    /// When it ends by a fault.
    pub on_crash: Policy,
    /// How often it was built again by policy.
    pub restarts: u64,
    /// Its memory is loaded and its boot state set; a domain without is torn down by the next daemon.
    pub built: bool,
    /// It waits for a client to start it.
    pub paused: bool,
    /// It is to be torn down (`kill`); the next daemon goes on with that.
    pub killed: bool,
    /// Its console's last output came over virtio: input goes there.
    #[serde(default)]
    pub virtio_console: bool,
    /// Devices by slot.
    pub devices: Vec<DeviceRecord>,
}

/// A device of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRecord {
    /// virtio-mmio slot.
    pub slot: u32,
    /// Kind.
    pub kind: DeviceKind,
    /// Of a disk.
    pub disk: Option<DiskRecord>,
}

/// A disk of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskRecord {
    /// Raw file or block device.
    pub path: PathBuf,
    /// The guest cannot write it.
    pub readonly: bool,
    /// Serial.
    pub serial: String,
    /// The number by which references name it.
    pub unit: u16,
    /// Size in 512-byte sectors, as the guest was told.
    pub sectors: u64,
}
