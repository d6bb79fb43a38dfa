//! The boot disk: an MBR with one FAT16 partition that BIOS and UEFI both accept, written with mtools.

use super::mbr;
use crate::command;
use anyhow::{Context, Result};
use std::{fs::File, path::Path, process::Command};

/// Bytes of the whole disk; a sparse file, so only what is used takes space.
const DISK: u64 = 512 << 20;
/// Where the partition starts; what is before it belongs to the MBR and GRUB's core.
pub const PARTITION: u64 = 1 << 20;
const SECTOR: u64 = 512;
/// The EFI system partition's type in an MBR (UEFI 2.10, section 5.2.2); GRUB's BIOS side does not mind.
const ESP: u8 = 0xef;

/// Creates an empty disk.
pub fn create(disk: &Path) -> Result<()> {
    // A left-over would keep its blocks.
    let _ = std::fs::remove_file(disk);
    let file = File::create(disk).with_context(|| disk.display().to_string())?;
    file.set_len(DISK)?;
    let blocks = (DISK - PARTITION) / 1024;
    command::run(
        Command::new("/usr/sbin/mkfs.fat")
            .args(["-F", "16", "-s", "32", "-n", "HYPERCUBE", "--offset", &(PARTITION / SECTOR).to_string()])
            .arg(disk)
            .arg(blocks.to_string()),
    )?;
    mbr::write(disk, &[mbr::Partition { kind: ESP, start: PARTITION, bytes: DISK - PARTITION }])
}

/// Creates a folder.
pub fn create_folder(disk: &Path, name: &str) -> Result<()> {
    mtool("mmd", disk).arg(format!("::{name}")).run()
}

/// Copies a host file into the partition, replacing what was there.
pub fn copy_in(disk: &Path, file: &Path, name: &str) -> Result<()> {
    mtool("mcopy", disk).arg("-o").arg(file).arg(format!("::{name}")).run()
}

fn mtool(program: &str, disk: &Path) -> Mtool {
    let mut command = Command::new(program);
    // Without the check for a matching geometry, which disk images do not have.
    command.env("MTOOLS_SKIP_CHECK", "1").arg("-i").arg(format!("{}@@{PARTITION}", disk.display()));
    Mtool(command)
}

struct Mtool(Command);

impl Mtool {
    fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    fn run(mut self) -> Result<()> {
        command::run(&mut self.0)
    }
}
