//! cpio archives as Linux unpacks them at boot ("newc").

use anyhow::Result;
use cpio::newc::{Builder, trailer};
use std::{collections::BTreeMap, io::Write};

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_777;
const CHARACTER_DEVICE: u32 = 0o020_600;

struct Entry {
    mode: u32,
    device: (u32, u32),
    bytes: Vec<u8>,
}

/// An archive in the making. Later entries replace earlier ones of the same path.
#[derive(Default)]
pub struct Archive {
    entries: BTreeMap<String, Entry>,
}

impl Archive {
    /// Adds a folder and those above it.
    pub fn folder(&mut self, path: &str) {
        let path = path.trim_matches('/');
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for part in ends.filter_map(|end| path.get(..end)).filter(|part| !part.is_empty()) {
            let entry = Entry { mode: FOLDER, device: (0, 0), bytes: vec![] };
            self.entries.entry(part.to_owned()).or_insert(entry);
        }
    }

    /// Adds a file with the permission bits `mode`.
    pub fn file(&mut self, path: &str, mode: u32, bytes: Vec<u8>) {
        self.add(path, Entry { mode: FILE | mode, device: (0, 0), bytes });
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.add(path, Entry { mode: LINK, device: (0, 0), bytes: target.as_bytes().to_vec() });
    }

    /// Adds a character device.
    pub fn character_device(&mut self, path: &str, major: u32, minor: u32) {
        self.add(path, Entry { mode: CHARACTER_DEVICE, device: (major, minor), bytes: vec![] });
    }

    fn add(&mut self, path: &str, entry: Entry) {
        let path = path.trim_matches('/');
        if let Some((folder, _)) = path.rsplit_once('/') {
            self.folder(folder);
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// The archive's bytes, a multiple of 512 of them.
    pub fn finish(self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        for (ino, (path, entry)) in (1..).zip(&self.entries) {
            let builder =
                Builder::new(path).ino(ino).mode(entry.mode).rdev_major(entry.device.0).rdev_minor(entry.device.1);
            let mut writer = builder.write(&mut out, u32::try_from(entry.bytes.len())?);
            writer.write_all(&entry.bytes)?;
            writer.finish()?;
        }
        trailer(&mut out)?;
        out.resize(out.len().next_multiple_of(512), 0);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parents_come_before_children() {
        let mut archive = Archive::default();
        archive.file("/usr/bin/x", 0o755, b"1234".to_vec());
        archive.link("bin", "elsewhere");
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % 512, 0);
        let place = |name: &[u8]| bytes.windows(name.len()).position(|window| window == name).unwrap();
        assert!(place(b"usr\0") < place(b"usr/bin\0") && place(b"usr/bin\0") < place(b"usr/bin/x\0"));
    }
}
