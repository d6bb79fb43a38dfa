//! QEMU's command line: TCG, AMD's SVM, no network.

use super::{Config, Console, monitor};
use crate::options::{Bus, Firmware};
use anyhow::{Context, Result};
use init::BOOT_DISK;
use std::{ffi::OsString, fs, path::Path, process::Command};

const PROGRAM: &str = "qemu-system-x86_64";
/// SVM and whatever else TCG emulates.
const DEFAULT_CPU: &str = "max";
const OVMF_CODE: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const OVMF_VARIABLES: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";
/// Instructions instead of time; the shift gives 500 MIPS.
const ICOUNT: [&str; 6] = ["-icount", "shift=1,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", "1"];

/// The command that starts the machine.
pub fn command(config: &Config) -> Result<Command> {
    let mut qemu = Command::new(PROGRAM);
    let accelerator = if config.icount { "tcg,thread=single" } else { "tcg,thread=multi" };
    qemu.args(["-nodefaults", "-no-user-config", "-display", "none", "-vga", "none"])
        .args(["-machine", "q35", "-accel", accelerator])
        .args(["-cpu", config.cpu.as_deref().unwrap_or(DEFAULT_CPU)])
        .args(["-smp", &config.cpus().to_string(), "-m", &config.memory.to_string()]);
    if config.icount {
        qemu.args(ICOUNT);
    }
    serial_ports(&mut qemu, config);
    boot_disk(&mut qemu, config);
    for (number, disk) in config.disks.iter().enumerate() {
        drive(&mut qemu, &format!("disk{number}"), &disk.file, disk.format);
        qemu.args(["-device", &device(config.bus, number)]);
    }
    if config.firmware == Firmware::Uefi {
        uefi(&mut qemu, config)?;
    }
    if let Some(port) = config.gdb {
        qemu.args(["-gdb", &format!("tcp::{port}"), "-S"]);
    }
    if config.reset_ends {
        qemu.arg("-no-reboot");
    }
    qemu.args(&config.qemu_args);
    Ok(qemu)
}

fn serial_ports(qemu: &mut Command, config: &Config) {
    match config.console {
        Console::Terminal => {
            qemu.args(["-serial", "mon:stdio"]);
        }
        Console::Socket(port) => {
            qemu.args(["-serial", &format!("tcp:127.0.0.1:{port}")]);
        }
        Console::File => {
            qemu.args(["-monitor", &monitor::argument()])
                .args(["-chardev", "stdio,id=frames,signal=off"])
                .args(["-device", "isa-debugcon,iobase=0xe9,chardev=frames"])
                .args([OsString::from("-serial"), file_argument(&config.console_log())]);
        }
    }
    qemu.args([OsString::from("-serial"), file_argument(&config.hypervisor_log)]);
}

fn file_argument(path: &Path) -> OsString {
    let mut argument = OsString::from("file:");
    argument.push(path);
    argument
}

/// The boot disk is virtio, whatever the user's disks are: each of dom0's kernels has a driver for that.
fn boot_disk(qemu: &mut Command, config: &Config) {
    let (file, device) = match &config.iso {
        Some(iso) => (iso, "ide-cd,bus=ide.0".to_owned()),
        None => (&config.boot, format!("virtio-blk-pci,serial={BOOT_DISK}")),
    };
    drive(qemu, BOOT_DISK, &file.to_string_lossy(), Some("raw"));
    qemu.args(["-device", &format!("{device},drive={BOOT_DISK},bootindex=0")]);
}

/// A comma ends a value for QEMU unless it is doubled.
fn escaped(value: &str) -> String {
    value.replace(',', ",,")
}

/// A drive without a device.
fn drive(qemu: &mut Command, name: &str, file: &str, format: Option<&str>) {
    let file = escaped(file);
    let format = format.map(|format| format!("format={format},")).unwrap_or_default();
    qemu.args(["-drive", &format!("if=none,id={name},{format}file={file},discard=unmap")]);
}

fn device(bus: Bus, number: usize) -> String {
    let name = format!("drive=disk{number},serial=disk{number}");
    match bus {
        Bus::Virtio => format!("virtio-blk-pci,{name}"),
        Bus::Nvme => format!("nvme,{name}"),
        Bus::Ahci => format!("ide-hd,{name},model=disk{number},bus=ide.{}", number + 1),
    }
}

fn uefi(qemu: &mut Command, config: &Config) -> Result<()> {
    let variables = config.folder.join("ovmf-variables.fd");
    fs::copy(OVMF_VARIABLES, &variables).with_context(|| format!("{OVMF_VARIABLES} (package ovmf)"))?;
    qemu.args(["-drive", &format!("if=pflash,format=raw,readonly=on,file={OVMF_CODE}")])
        .args(["-drive", &format!("if=pflash,format=raw,file={}", escaped(&variables.to_string_lossy()))]);
    Ok(())
}
