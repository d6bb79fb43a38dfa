//! A run's own files, as one more archive after dom0's initramfs.

use super::archive::Archive;
use anyhow::{Context, Result, bail};
use init::request::{self, Request};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Where dom0 finds the files of `--share`.
const SHARE: &str = "share";

/// What a run adds to dom0.
#[derive(Clone, Debug, Default)]
pub struct Overlay {
    /// What init is to do.
    pub request: Request,
    /// A folder of the host to copy to `/share`.
    pub share: Option<PathBuf>,
}

impl Overlay {
    /// The archive's bytes.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let mut root = Archive::default();
        let text = self.request.to_text().map_err(anyhow::Error::msg)?;
        root.file(request::PATH, 0o600, text.into());
        if let Some(share) = &self.share {
            if !share.is_dir() {
                bail!("--share {}: not a folder", share.display());
            }
            root.folder(SHARE);
            add_folder(&mut root, share, SHARE)?;
        }
        root.finish()
    }
}

fn add_folder(root: &mut Archive, folder: &Path, place: &str) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let path = entry.path();
        let place = format!("{place}/{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            root.link(&place, &fs::read_link(&path)?.to_string_lossy());
        } else if kind.is_dir() {
            root.folder(&place);
            add_folder(root, &path, &place)?;
        } else if kind.is_file() {
            let mode = entry.metadata()?.permissions().mode() & 0o777;
            root.file(&place, mode, fs::read(&path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(())
}
