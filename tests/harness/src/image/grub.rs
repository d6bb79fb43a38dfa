//! GRUB on the boot disk, for BIOS and for UEFI, and its menu.

use super::fat;
use crate::command;
use anyhow::{Context, Result};
use std::{
    fs::{self, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    process::Command,
};

const BIOS_FILES: &str = "/usr/lib/grub/i386-pc";
/// What both firmwares' GRUB needs built in.
const MODULES: [&str; 10] =
    ["part_msdos", "fat", "normal", "configfile", "multiboot2", "linux", "serial", "terminal", "boot", "wrmsr"];
/// Bytes of the MBR that are code; the partition table follows.
const MBR_CODE: usize = 440;
/// UEFI's firmware starts the file with this name (UEFI 2.10, section 3.5.1.1).
const UEFI_FILE: &str = "/EFI/BOOT/BOOTX64.EFI";
/// UEFI's GRUB is told nothing about where it came from and looks for its menu.
const UEFI_START: &str = "search --no-floppy --set=root --file /vmlinuz\nset prefix=($root)/grub\n";

/// Puts GRUB on a disk made by [`fat::create`]; `folder` is for what is made on the way.
pub fn install(disk: &Path, folder: &Path) -> Result<()> {
    fat::create_folder(disk, "/grub")?;
    fat::create_folder(disk, "/EFI")?;
    fat::create_folder(disk, "/EFI/BOOT")?;
    let core = folder.join("core.img");
    let mut bios = make_image("i386-pc", &core);
    command::run(bios.args(["-p", "(,msdos1)/grub", "biosdisk"]).args(MODULES))?;
    write_core(disk, &core)?;
    let start = folder.join("uefi-start.cfg");
    fs::write(&start, UEFI_START)?;
    let program = folder.join("bootx64.efi");
    let mut uefi = make_image("x86_64-efi", &program);
    command::run(uefi.arg("-c").arg(&start).args(["-p", "/grub", "search"]).args(MODULES))?;
    fat::copy_in(disk, &program, UEFI_FILE)
}

fn make_image(format: &str, output: &Path) -> Command {
    let mut command = Command::new("grub-mkimage");
    command.arg("-O").arg(format).arg("-o").arg(output);
    command
}

/// The boot sector reads the core from the sectors right after it, which is what `grub-mkimage`
/// has filled in by default.
fn write_core(disk: &Path, core: &Path) -> Result<()> {
    let path = Path::new(BIOS_FILES).join("boot.img");
    let mut code = vec![0; MBR_CODE];
    fs::File::open(&path)
        .and_then(|mut file| file.read_exact(&mut code))
        .with_context(|| format!("{} (package grub-pc-bin)", path.display()))?;
    let core = fs::read(core)?;
    anyhow::ensure!((core.len() as u64) < fat::PARTITION - 512, "GRUB's core does not fit before the partition");
    let mut file = OpenOptions::new().write(true).open(disk)?;
    file.write_all(&code)?;
    file.seek(SeekFrom::Start(512))?;
    file.write_all(&core)?;
    Ok(())
}

/// What GRUB starts.
#[derive(Clone, Debug)]
pub enum BootLine {
    /// The hypervisor with these options, then dom0's kernel with these.
    Hypervisor {
        /// The hypervisor's command line.
        options: String,
        /// dom0's kernel command line.
        dom0: String,
    },
    /// The hypervisor with these options and no dom0.
    Alone {
        /// The hypervisor's command line.
        options: String,
    },
    /// dom0's kernel alone.
    Bare {
        /// The kernel's command line.
        dom0: String,
    },
}

impl BootLine {
    /// The text of `grub.cfg`, with the user's commands `before` the start, `;` between them. GRUB's own messages go
    /// to the first serial port.
    pub fn menu(&self, before: &str) -> String {
        let start = "serial --unit=0 --speed=115200\nterminal_output serial\nset timeout=0\n";
        let body = match self {
            Self::Hypervisor { options, dom0 } => format!(
                "multiboot2 /hypercube {options}\nmodule2 /vmlinuz kernel {dom0}\n\
                 module2 /initrd.img initrd\nmodule2 /overlay.img overlay\n"
            ),
            Self::Alone { options } => format!("multiboot2 /hypercube {options}\n"),
            Self::Bare { dom0 } => {
                format!("linux /vmlinuz {dom0}\ninitrd /initrd.img /overlay.img\n")
            }
        };
        format!("{start}{before}\n{body}boot\n")
    }
}
