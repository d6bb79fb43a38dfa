//! Partition tables as a PC's BIOS, GRUB and Linux read them (UEFI 2.10, section 5.2).

use anyhow::{Context, Result, ensure};
use std::{fs::OpenOptions, os::unix::fs::FileExt, path::Path};

const SECTOR: u64 = 512;
const TABLE: u64 = 446;
const ENTRY: u64 = 16;
const SIGNATURE: u64 = 510;
/// Partitions that fit.
const MOST: usize = 4;

/// A partition.
#[derive(Clone, Copy, Debug)]
pub struct Partition {
    /// Its type.
    pub kind: u8,
    /// Its first byte.
    pub start: u64,
    /// How long it is.
    pub bytes: u64,
}

/// Writes the table; the first partition is the active one.
pub fn write(disk: &Path, partitions: &[Partition]) -> Result<()> {
    ensure!(partitions.len() <= MOST, "{} partitions do not fit", partitions.len());
    let file = OpenOptions::new().write(true).open(disk).with_context(|| disk.display().to_string())?;
    for (number, partition) in (0..).zip(partitions) {
        let active = if number == 0 { 0x80 } else { 0 };
        // Cylinder numbers that say "use the linear addresses".
        let mut entry = vec![active, 0xfe, 0xff, 0xff, partition.kind, 0xfe, 0xff, 0xff];
        entry.extend(u32::try_from(partition.start / SECTOR)?.to_le_bytes());
        entry.extend(u32::try_from(partition.bytes / SECTOR)?.to_le_bytes());
        file.write_all_at(&entry, TABLE + number * ENTRY)?;
    }
    file.write_all_at(&[0x55, 0xaa], SIGNATURE)?;
    Ok(())
}
