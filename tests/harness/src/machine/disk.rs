//! The user's disks.

use anyhow::{Context, Result, bail};
use std::{fs::File, io::Read};

/// A disk image or a network block device.
#[derive(Clone, Debug)]
pub struct Disk {
    /// What the emulator opens.
    pub file: String,
    /// QEMU's name of its format.
    pub format: &'static str,
}

/// How a file in QEMU's own format starts.
const QCOW2: [u8; 4] = *b"QFI\xfb";
/// How a network block device is named.
const NETWORK: &str = "nbd:";

impl Disk {
    /// Looks at what the user named.
    pub fn open(file: &str) -> Result<Self> {
        if file.starts_with(NETWORK) {
            return Ok(Self { file: file.to_owned(), format: "raw" });
        }
        let mut start = [0; 4];
        let read = File::open(file)
            .and_then(|mut disk| disk.read(&mut start))
            .with_context(|| format!("--disk {file}; an empty one is made by: truncate -s 1G {file}"))?;
        if read == 0 {
            bail!("--disk {file}: the file is empty; give it a size: truncate -s 1G {file}");
        }
        let format = if start == QCOW2 { "qcow2" } else { "raw" };
        Ok(Self { file: file.to_owned(), format })
    }
}
