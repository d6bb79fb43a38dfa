//! Bochs' configuration file and command line: Intel's VMX with EPT.

use super::{Config, Console};
use anyhow::{Result, bail};
use init::BOOT_DISK;
use std::{fmt::Write, fs, path::Path, process::Command};

/// VMX with unrestricted guests and EPT with accessed and dirty bits; its clock calibrates true.
const DEFAULT_CPU: &str = "corei7_haswell_4770";
/// It locks VMX on.
const DEFAULT_BIOS: &str = "/usr/share/bochs/BIOS-bochs-latest";
/// The most memory that Debian's Bochs takes, in MiB.
const MOST_MEMORY: u64 = 2048;
/// User disks: the boot disk is the first of the four places on the two IDE channels.
const PLACES: [&str; 3] = ["ata0-slave", "ata1-master", "ata1-slave"];
const FIXED: &str = "\
config_interface: textconfig
display_library: rfb, options=\"timeout=0\"
vgaromimage: file=/usr/share/vgabios/vgabios-stdvga.bin
pci: enabled=1, chipset=i440fx
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
boot: disk
clock: sync=none, time0=utc
log: bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
speaker: enabled=0
sound: waveoutdrv=dummy
port_e9_hack: enabled=1
";

/// The command that starts the machine in the run's folder.
pub fn command(config: &Config) -> Result<Command> {
    if config.memory.0 > MOST_MEMORY {
        bail!("Bochs takes at most {MOST_MEMORY}M of memory");
    }
    fs::write(config.folder.join("bochsrc"), text(config)?)?;
    // Debian's Bochs has its debugger built in, which waits for a command: continue.
    fs::write(config.folder.join("debugger"), "c\n")?;
    let mut bochs = Command::new("bochs");
    bochs.args(["-q", "-f", "bochsrc", "-rc", "debugger"]);
    Ok(bochs)
}

fn text(config: &Config) -> Result<String> {
    let mut text = FIXED.to_owned();
    let cpu = config.cpu.as_deref().unwrap_or(DEFAULT_CPU);
    let bios = config.bios.as_deref().unwrap_or(Path::new(DEFAULT_BIOS));
    writeln!(text, "romimage: file={}", bios.display())?;
    let reset = if config.reset_ends { 0 } else { 1 };
    writeln!(
        text,
        "cpu: model={cpu}, count={}, ips=50000000, reset_on_triple_fault={reset}, ignore_bad_msrs=1",
        config.smp
    )?;
    writeln!(text, "megs: {}", config.memory.0)?;
    let boot = config.boot.display();
    writeln!(text, "ata0-master: type=disk, path=\"{boot}\", mode=flat, model=\"{BOOT_DISK}\"")?;
    if config.disks.len() > PLACES.len() {
        bail!("Bochs takes at most {} disks", PLACES.len());
    }
    for (number, (disk, place)) in config.disks.iter().zip(PLACES).enumerate() {
        if disk.format != Some("raw") || !fs::exists(&disk.file)? {
            bail!("--disk {}: Bochs takes raw image files only", disk.file);
        }
        writeln!(text, "{place}: type=disk, path=\"{}\", mode=flat, model=\"disk{number}\"", disk.file)?;
    }
    match config.console {
        Console::Socket(port) => writeln!(text, "com1: enabled=1, mode=socket-client, dev=localhost:{port}")?,
        Console::Terminal => bail!("Bochs cannot have the terminal itself"),
        Console::File => writeln!(text, "com1: enabled=1, mode=file, dev=\"{}\"", config.console_log().display())?,
    }
    writeln!(text, "com2: enabled=1, mode=file, dev=\"{}\"", config.hypervisor_log.display())?;
    Ok(text)
}
