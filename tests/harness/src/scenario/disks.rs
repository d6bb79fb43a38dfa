//! Disks of a scenario.

use crate::{command, size::Mebibytes};
use anyhow::Result;
use serde::Deserialize;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// A disk, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DiskSpec {
    /// Like `64M`.
    pub size: String,
    /// What is on it.
    pub fs: Option<FileSystem>,
}

/// File systems that the host can make.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileSystem {
    /// ext4
    Ext4,
    /// A swap area.
    Swap,
}

/// Makes the disks in `folder`; Bochs wants whole cylinders, so sizes are multiples of them.
pub fn make(disks: &[DiskSpec], folder: &Path) -> Result<Vec<PathBuf>> {
    disks.iter().enumerate().map(|(number, disk)| make_one(disk, &folder.join(format!("disk{number}.img")))).collect()
}

fn make_one(disk: &DiskSpec, path: &Path) -> Result<PathBuf> {
    let Mebibytes(size) = disk.size.parse().map_err(anyhow::Error::msg)?;
    File::create(path)?.set_len(size << 20)?;
    match disk.fs {
        Some(FileSystem::Ext4) => {
            command::run(Command::new("/usr/sbin/mke2fs").args(["-q", "-F", "-t", "ext4"]).arg(path))?
        }
        Some(FileSystem::Swap) => command::run(Command::new("/usr/sbin/mkswap").arg(path))?,
        None => {}
    }
    Ok(path.to_owned())
}
