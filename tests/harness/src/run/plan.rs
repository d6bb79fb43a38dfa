//! From the user's options to a machine.

use crate::{
    build,
    image::{self, BootLine, Overlay},
    machine::{Config, Console, Disk},
    options::{Bus, Firmware, Kind, RunOptions},
    size::Mebibytes,
};
use anyhow::{Result, bail};
use init::request::Request;
use std::{
    env, fs,
    path::{Path, PathBuf, absolute},
    time::Duration,
};

/// Seconds for `--exec` without `--timeout`.
const EXEC_SECONDS: u64 = 600;
/// dom0's kernel: quiet, because each byte on a serial port costs; a panic ends the machine; what tests itself for long
/// is left out; programs are always at the same addresses, or QEMU would translate them anew at each start.
const DOM0_WORDS: &str =
    "console=ttyS0,115200 quiet panic=-1 norandmaps cryptomgr.notests initcall_blacklist=crypto_kdf108_init";
/// The hypervisor's log level unless `--hypervisor-args` says otherwise.
const HYPERVISOR_WORDS: &str = "loglevel=info";

/// A machine and what to do with it.
pub struct Plan {
    /// The machine.
    pub config: Config,
    /// What dom0's init is asked.
    pub request: Request,
    /// When to give up.
    pub timeout: Option<Duration>,
    /// Whether to say how long the start took.
    pub timings: bool,
}

/// What must be built for these options.
pub fn build_options(options: &RunOptions) -> build::Options {
    let mut build = options.build.clone();
    build.no_hypervisor |= options.more.bare;
    build.generic_kernel |= options.more.disk_bus == Bus::Ahci;
    build
}

impl Plan {
    /// Checks the options and makes the run's image in `folder`.
    pub fn new(options: &RunOptions, base: &Path, folder: &Path, console: Console) -> Result<Self> {
        if options.firmware == Firmware::Uefi && options.machine == Kind::Bochs {
            bail!("--firmware uefi is for QEMU only: Debian has no UEFI firmware for Bochs");
        }
        let request =
            Request { commands: options.exec.clone(), term: env::var("TERM").ok(), size: super::terminal::size() };
        let overlay = Overlay { request: request.clone(), share: options.share.clone() };
        let menu = boot_line(options).menu(&options.more.grub);
        let boot = image::for_run(base, folder, &menu, &overlay, options.more.kernel_image.as_deref())?;
        let config = Config {
            kind: options.machine,
            smp: options.smp,
            spare_cpu: spare_cpu(options),
            memory: options.memory.unwrap_or(default_memory(options.machine)),
            cpu: options.more.cpu.clone(),
            firmware: options.firmware,
            bios: options.more.bios.as_deref().map(absolute).transpose()?,
            boot,
            iso: options.more.iso.as_deref().map(absolute).transpose()?,
            disks: options.disk.iter().map(|disk| Disk::open(disk)).collect::<Result<_>>()?,
            bus: options.more.disk_bus,
            reset_ends: console == Console::File && !options.more.reboots,
            console,
            hypervisor_log: log_file(options, folder)?,
            folder: folder.to_owned(),
            gdb: options.more.gdb,
            icount: options.more.icount,
            qemu_args: options.more.qemu_arg.clone(),
        };
        let seconds = options.timeout.or(options.exec.is_some().then_some(EXEC_SECONDS));
        Ok(Self { config, request, timeout: seconds.map(Duration::from_secs), timings: options.more.timings })
    }
}

/// What each emulator has unless told otherwise.
fn default_memory(kind: Kind) -> Mebibytes {
    Mebibytes(match kind {
        Kind::Qemu => 2048,
        Kind::Bochs => 1024,
    })
}

/// QEMU's first CPU cannot run guests while others run (docs/decisions/0011). Counting instructions it has one
/// thread for all.
fn spare_cpu(options: &RunOptions) -> bool {
    options.machine == Kind::Qemu && options.smp > 1 && !options.more.bare && !options.more.icount
}

fn boot_line(options: &RunOptions) -> BootLine {
    let more = &options.more;
    let disks = options.disk.len() + usize::from(more.iso.is_none());
    let dom0 = format!("{DOM0_WORDS} hypercube.disks={disks} {}", more.dom0_args);
    if more.bare {
        return BootLine::Bare { dom0 };
    }
    let spare = if spare_cpu(options) { "boot_cpu=idle" } else { "" };
    let words = format!("dom0_mem={} {HYPERVISOR_WORDS} {spare} {}", options.dom0_memory, more.hypervisor_args);
    if more.no_dom0 { BootLine::Alone { options: words } } else { BootLine::Hypervisor { options: words, dom0 } }
}

/// The emulators run in the run's folder, so names are made absolute. Emulators append or replace
/// as they like, so the file starts empty.
fn log_file(options: &RunOptions, folder: &Path) -> Result<PathBuf> {
    let path = match &options.hypervisor_log {
        Some(path) => absolute(path)?,
        None => folder.join("hypervisor.log"),
    };
    fs::write(&path, "")?;
    Ok(path)
}
