//! The options of `run`: an interface, kept stable.

use crate::{build, size::Mebibytes};
use anyhow::Result;
use clap::{Args, Parser, ValueEnum};
use std::path::PathBuf;

/// Which emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// QEMU, which emulates AMD's SVM with nested paging.
    Qemu,
    /// Bochs, which emulates Intel's VMX with EPT.
    Bochs,
}

/// What GRUB is started by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// SeaBIOS on QEMU, the Bochs BIOS on Bochs.
    Bios,
    /// OVMF, on QEMU only.
    Uefi,
}

/// How the disks of `--disk` are attached on QEMU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bus {
    /// virtio-blk over PCI.
    Virtio,
    /// NVMe.
    Nvme,
    /// AHCI (needs the generic Debian kernel, which is fetched for it).
    Ahci,
}

/// Options of `run`.
#[derive(Args, Clone, Debug)]
pub struct RunOptions {
    /// The emulator
    #[arg(long, value_enum, default_value = "qemu")]
    pub machine: Kind,
    /// Number of CPUs
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub smp: u32,
    /// Memory of the machine, like 2G [default: 2G on QEMU, 1G on Bochs]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<Mebibytes>,
    /// Memory of dom0
    #[arg(long, value_name = "SIZE", default_value = "512M")]
    pub dom0_memory: Mebibytes,
    /// A disk image or `nbd:unix:SOCKET`; in dom0 it is /dev/disk0, the next one /dev/disk1, ...
    #[arg(long, value_name = "FILE")]
    pub disk: Vec<String>,
    /// The firmware
    #[arg(long, value_enum, default_value = "bios")]
    pub firmware: Firmware,
    /// A folder whose files dom0 finds under /share
    #[arg(long, value_name = "DIR")]
    pub share: Option<PathBuf>,
    /// Shell commands to run in dom0 instead of an interactive shell; their output and exit status become this program's
    #[arg(long, value_name = "COMMANDS")]
    pub exec: Option<String>,
    /// Give up after so many seconds (exit status 124) [default: 600 with --exec]
    #[arg(long, value_name = "S")]
    pub timeout: Option<u64>,
    /// Where to write the hypervisor's log
    #[arg(long, value_name = "FILE")]
    pub hypervisor_log: Option<PathBuf>,
    #[command(flatten)]
    pub more: MoreOptions,
    #[command(flatten)]
    pub build: build::Options,
}

impl RunOptions {
    /// The options that a user would get with these words on the command line, the first being `run`.
    pub fn from_words(words: &[&str]) -> Result<Self> {
        #[derive(Parser)]
        struct Run {
            #[command(flatten)]
            options: RunOptions,
        }
        Ok(Run::try_parse_from(words)?.options)
    }
}

/// Options for special purposes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "More")]
pub struct MoreOptions {
    /// How disks are attached on QEMU
    #[arg(long, value_enum, default_value = "virtio")]
    pub disk_bus: Bus,
    /// CPU model of the emulator [default: max on QEMU, corei7_haswell_4770 on Bochs]
    #[arg(long, value_name = "MODEL")]
    pub cpu: Option<String>,
    /// The firmware's image (Bochs)
    #[arg(long, value_name = "FILE")]
    pub bios: Option<PathBuf>,
    /// More words for the hypervisor's command line
    #[arg(long, value_name = "WORDS", default_value = "", allow_hyphen_values = true)]
    pub hypervisor_args: String,
    /// More words for dom0's kernel command line
    #[arg(long, value_name = "WORDS", default_value = "", allow_hyphen_values = true)]
    pub dom0_args: String,
    /// Commands for GRUB before it boots, `;` between them
    #[arg(long, value_name = "COMMANDS", default_value = "")]
    pub grub: String,
    /// Boot the same kernel and initramfs without the hypervisor
    #[arg(long)]
    pub bare: bool,
    /// Boot the hypervisor without dom0, which takes less time to load: for machines that it refuses
    #[arg(long, conflicts_with = "bare")]
    pub no_dom0: bool,
    /// Wait for GDB on this TCP port (QEMU)
    #[arg(long, value_name = "PORT")]
    pub gdb: Option<u16>,
    /// Count instructions instead of time, for repeatable runs (QEMU)
    #[arg(long)]
    pub icount: bool,
    /// With --exec: go on when the machine is reset, instead of ending
    #[arg(long)]
    pub reboots: bool,
    /// One more argument for QEMU
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    pub qemu_arg: Vec<String>,
    /// Keep the run's folder (logs, image) and say where it is
    #[arg(long)]
    pub keep: bool,
    /// Say how long the machine took until the commands started
    #[arg(long)]
    pub timings: bool,
    /// Boot this multiboot2 image in the hypervisor's place
    #[arg(long, value_name = "FILE")]
    pub kernel_image: Option<PathBuf>,
    /// Boot this CD image instead of ours
    #[arg(long, value_name = "FILE", hide = true)]
    pub iso: Option<PathBuf>,
}
