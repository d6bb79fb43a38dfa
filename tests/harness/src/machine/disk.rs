//! The user's disks.

use anyhow::{Context, Result, bail};
use std::{fs::File, io::Read, path::absolute};

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
/// How a network block device is named, and one behind a socket of this host.
const NETWORK: &str = "nbd:";
const SOCKET: &str = "nbd:unix:";
/// How a description in QEMU's terms begins.
const DESCRIPTION: &str = "json:";

impl Disk {
    /// Looks at what the user named. Names become absolute: the emulators run in the run's folder.
    pub fn open(file: &str) -> Result<Self> {
        if let Some(socket) = file.strip_prefix(SOCKET) {
            return Ok(Self { file: format!("{SOCKET}{}", from_root(socket)?), format: Some("raw") });
        }
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
        Ok(Self { file: from_root(file)?, format: Some(format) })
    }
}

fn from_root(name: &str) -> Result<String> {
    let path = absolute(name)?;
    Ok(path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_from_the_root_whatever_they_were() -> Result<()> {
        let here = std::env::current_dir()?;
        let here = here.to_str().context("not UTF-8")?;
        let manifest = format!("{here}/Cargo.toml");
        assert_eq!(Disk::open("Cargo.toml")?.file, manifest);
        assert_eq!(Disk::open(&manifest)?.file, manifest);
        assert_eq!(Disk::open("nbd:unix:a/b:exportname=c")?.file, format!("nbd:unix:{here}/a/b:exportname=c"));
        for other in ["nbd:localhost:10809", "json:{}", "nbd:unix:/run/socket"] {
            assert_eq!(Disk::open(other)?.file, other);
        }
        Ok(())
    }
}
