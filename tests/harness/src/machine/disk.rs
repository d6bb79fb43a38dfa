//! The user's disks.

use anyhow::{Context, Result, bail};
use std::{fs::File, io::Read};

/// A disk image, a network block device, or what QEMU is told of another one.
#[derive(Clone, Debug)]
pub struct Disk {
    /// What the emulator opens.
    pub file: String,
    /// QEMU's name of its format, unless `file` says it.
    pub format: Option<&'static str>,
}

/// How a file in QEMU's own format starts.
const QCOW2: [u8; 4] = *b"QFI\xfb";
/// How a network block device is named.
const NETWORK: &str = "nbd:";
/// How a description in QEMU's terms begins.
const DESCRIPTION: &str = "json:";

impl Disk {
    /// Looks at what the user named.
    pub fn open(file: &str) -> Result<Self> {
        if file.starts_with(NETWORK) || file.starts_with(DESCRIPTION) {
            let format = (!file.starts_with(DESCRIPTION)).then_some("raw");
            return Ok(Self { file: file.to_owned(), format });
        }
        let mut start = [0; 4];
        let read = File::open(file)
            .and_then(|mut disk| disk.read(&mut start))
            .with_context(|| format!("--disk {file}; an empty one is made by: truncate -s 1G {file}"))?;
        if read == 0 {
            bail!("--disk {file}: the file is empty; give it a size: truncate -s 1G {file}");
        }
        let format = if start == QCOW2 { "qcow2" } else { "raw" };
        Ok(Self { file: file.to_owned(), format: Some(format) })
    }
}
