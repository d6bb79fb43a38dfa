//! A machine to be started.

use super::Disk;
use crate::{
    options::{Bus, Firmware, Kind},
    size::Mebibytes,
};
use std::path::PathBuf;

/// Where dom0's console (the first serial port) goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Console {
    /// The user's terminal, by the emulator itself.
    Terminal,
    /// A TCP port of this host where someone listens.
    Socket(u16),
    /// The file `console.log` of the run's folder.
    File,
}

/// Everything that both emulators need to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The emulator.
    pub kind: Kind,
    /// CPUs that run domains.
    pub smp: u32,
    /// One more, which the machine starts on and which runs none (QEMU: see CAVEATS.md).
    pub spare_cpu: bool,
    /// RAM.
    pub memory: Mebibytes,
    /// The emulator's CPU model, if not its default.
    pub cpu: Option<String>,
    /// What GRUB is started by.
    pub firmware: Firmware,
    /// The firmware's image, if not the emulator's own (Bochs).
    pub bios: Option<PathBuf>,
    /// The boot disk.
    pub boot: PathBuf,
    /// A CD to boot instead.
    pub iso: Option<PathBuf>,
    /// The user's disks.
    pub disks: Vec<Disk>,
    /// How they are attached (QEMU).
    pub bus: Bus,
    /// Where the first serial port goes.
    pub console: Console,
    /// The file for the second serial port, the hypervisor's log.
    pub hypervisor_log: PathBuf,
    /// The run's folder.
    pub folder: PathBuf,
    /// GDB's port (QEMU).
    pub gdb: Option<u16>,
    /// Count instructions instead of time (QEMU).
    pub icount: bool,
    /// Whether a reset of the machine ends it.
    pub reset_ends: bool,
    /// More arguments for QEMU.
    pub qemu_args: Vec<String>,
}

impl Config {
    /// CPUs in all.
    pub fn cpus(&self) -> u32 {
        self.smp + u32::from(self.spare_cpu)
    }

    /// The file that dom0's console is written to when it is not on the terminal.
    pub fn console_log(&self) -> PathBuf {
        self.folder.join("console.log")
    }

    /// The emulator's own messages.
    pub fn emulator_log(&self) -> PathBuf {
        self.folder.join("emulator.log")
    }
}
