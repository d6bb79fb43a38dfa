//! Disks of a scenario.

use crate::{command, size::Mebibytes};
use anyhow::Result;
use serde::Deserialize;
use serde_json::json;
use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// Linux' number of an I/O error.
const EIO: u32 = 5;

/// A disk, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DiskSpec {
    /// Like `64M`.
    pub size: String,
    /// What is on it.
    pub fs: Option<FileSystem>,
    /// Where a read that touches the sector there fails, whole mebibytes from the start (QEMU).
    #[serde(default)]
    pub bad_reads: Vec<String>,
    /// The same for writes.
    #[serde(default)]
    pub bad_writes: Vec<String>,
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

/// A disk that was made.
pub struct Made {
    /// The image.
    pub image: PathBuf,
    /// What `run` gets for `--disk`.
    pub argument: String,
}

/// Makes the disks in `folder`; Bochs wants whole cylinders, so sizes are multiples of them.
pub fn make(disks: &[DiskSpec], folder: &Path) -> Result<Vec<Made>> {
    let one = |(number, disk): (usize, &DiskSpec)| {
        let image = make_one(disk, &folder.join(format!("disk{number}.img")))?;
        Ok(Made { argument: argument(disk, &image)?, image })
    };
    disks.iter().enumerate().map(one).collect()
}

/// The image's path, or QEMU's description of a disk that fails at some places.
fn argument(disk: &DiskSpec, image: &Path) -> Result<String> {
    let errors = [("read", &disk.bad_reads), ("write", &disk.bad_writes)];
    let mut rules = Vec::new();
    for (kind, at) in errors.into_iter().flat_map(|(kind, places)| places.iter().map(move |at| (kind, at))) {
        let Mebibytes(at) = at.parse().map_err(anyhow::Error::msg)?;
        rules.push(json!({ "event": "none", "iotype": kind, "errno": EIO, "sector": at << 11, "once": false }));
    }
    let image = image.display().to_string();
    if rules.is_empty() {
        return Ok(image);
    }
    let file = json!({ "driver": "file", "filename": image });
    let failing = json!({ "driver": "blkdebug", "image": file, "inject-error": rules });
    Ok(format!("json:{}", json!({ "driver": "raw", "file": failing })))
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
