//! Which image has which number.
//!
//! References name images by number, so an image keeps its number as long as anything may refer
//! to it, over restarts of the daemon: the table is written down before a number is used.

use super::Disks;
use protocol::{ErrorCode, Failure};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// An image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Image {
    /// File or block device.
    pub path: PathBuf,
    /// Opened for reading only.
    pub readonly: bool,
    /// Domains that use it; not written down.
    #[serde(skip)]
    users: BTreeSet<u32>,
    /// Its references are being copied home.
    #[serde(skip)]
    resolving: bool,
    /// Bytes, once open.
    #[serde(skip)]
    bytes: Option<u64>,
}

/// The table of images.
#[derive(Debug, Default)]
pub struct Media {
    file: Option<PathBuf>,
    store: Option<PathBuf>,
    images: BTreeMap<u16, Image>,
}

impl Media {
    /// The table in `file`, or an empty one; `store` is told to clients.
    ///
    /// # Errors
    /// If the file is there but cannot be read: its images' references would be lost.
    pub fn load(file: PathBuf, store: Option<PathBuf>) -> std::io::Result<Self> {
        let images = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        Ok(Self { file: Some(file), store, images })
    }

    /// The store's path, if there is a store.
    #[must_use]
    pub fn store(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// A domain is gone: the images that nobody uses any more.
    pub(super) fn leave(&mut self, domain: u32) -> Vec<u16> {
        let left = self.images.iter_mut().filter_map(|(unit, image)| {
            (image.users.remove(&domain) && image.users.is_empty()).then_some(*unit)
        });
        left.collect()
    }

    fn save(&self) -> std::io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let fresh = file.with_extension("new");
        std::fs::write(&fresh, serde_json::to_vec(&self.images)?)?;
        std::fs::File::open(&fresh)?.sync_all()?;
        std::fs::rename(&fresh, file)
    }

    fn number(&self, path: &Path) -> Option<u16> {
        self.images.iter().find(|(_, image)| image.path == path).map(|(unit, _)| *unit)
    }
}

impl Disks {
    /// Opens the images that earlier daemons left with references or users.
    pub fn open_known(&mut self) {
        for (unit, image) in self.media.images.clone() {
            if let Err(failure) = self.open(unit, &image.path, image.readonly) {
                tracing::error!(unit, %failure, "a disk of earlier days cannot be opened");
            }
        }
    }

    /// Puts an image at the disposal of a domain: its number and its size in 512-byte sectors.
    ///
    /// # Errors
    /// If it cannot be opened, or others use it in a way that does not go together.
    pub fn attach(&mut self, path: &Path, readonly: bool) -> Result<(u16, u64), Failure> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let known = self.media.number(&path);
        if let Some(image) = known.and_then(|unit| self.media.images.get(&unit))
            && !image.users.is_empty()
            && !(readonly && image.readonly)
        {
            let message = format!("{}: another domain uses it", path.display());
            let hint = "stop that domain, give each its own copy, or set readonly = true in both files";
            return Err(Failure::new(ErrorCode::Exists, message, hint));
        }
        if let Some(unit) = known
            && let Some(bytes) = self.reuse(unit, readonly)
        {
            return Ok((unit, bytes / 512));
        }
        if known.and_then(|unit| self.media.images.get(&unit)).is_some_and(|image| image.resolving) {
            let message = format!("{}: its last user's blocks are still being copied home", path.display());
            return Err(Failure::new(ErrorCode::WrongState, message, "try again in a moment"));
        }
        let unit = known.or_else(|| (0..=u16::MAX).find(|unit| !self.media.images.contains_key(unit)));
        let unit = unit.ok_or_else(|| Failure::plain(ErrorCode::NoResources, "there are too many disks"))?;
        let image = Image { path: path.clone(), readonly, users: BTreeSet::new(), resolving: false, bytes: None };
        self.media.images.insert(unit, image);
        let opened = self.open(unit, &path, readonly);
        let saved = opened.and_then(|bytes| {
            self.media.save().map(|()| bytes).map_err(|error| Failure::plain(ErrorCode::Failed, error.to_string()))
        });
        match saved {
            Ok(bytes) => Ok((unit, bytes / 512)),
            Err(failure) => {
                self.release_image(unit);
                Err(failure)
            }
        }
    }

    /// A domain uses an image from now on.
    pub fn enter(&mut self, domain: u32, unit: u16) {
        if let Some(image) = self.media.images.get_mut(&unit) {
            image.users.insert(domain);
        }
    }

    /// Closes images that nobody uses, once they refer to the store no more.
    pub fn retire_unused(&mut self) {
        let unused: Vec<u16> =
            self.media.images.iter().filter(|(_, i)| i.users.is_empty() && !i.resolving).map(|(unit, _)| *unit).collect();
        unused.into_iter().for_each(|unit| self.retire(unit));
    }

    /// An image that nobody uses any more: its references are copied home, then it is closed.
    pub(super) fn retire(&mut self, unit: u16) {
        let Some(image) = self.media.images.get_mut(&unit) else { return };
        if image.bytes.is_none() {
            return;
        }
        match self.map.resolve_all(unit) {
            Ok(actions) => {
                image.resolving = true;
                self.take(actions);
            }
            Err(error) => tracing::warn!(unit, %error, "a disk cannot be closed"),
        }
    }

    /// The references of an image have been copied home.
    pub(super) fn resolved(&mut self, unit: u16, ok: bool) {
        let Some(image) = self.media.images.get_mut(&unit) else { return };
        image.resolving = false;
        if !image.users.is_empty() {
            return;
        }
        if !ok {
            tracing::error!(path = %image.path.display(), "blocks of this image are still in the swap store only: keep both");
            return;
        }
        match self.map.detach(unit, false) {
            Ok(()) => self.release_image(unit),
            Err(error) => tracing::warn!(unit, %error, "a disk cannot be closed yet"),
        }
    }

    fn reuse(&mut self, unit: u16, readonly: bool) -> Option<u64> {
        let image = self.media.images.get(&unit)?;
        let bytes = image.bytes?;
        (image.readonly == readonly).then_some(bytes)
    }

    fn open(&mut self, unit: u16, path: &Path, readonly: bool) -> Result<u64, Failure> {
        let fail = |what: String, hint: &str| Failure::new(ErrorCode::BadDomainFile, format!("{}: {what}", path.display()), hint);
        let bytes = self
            .io
            .open(unit, path, readonly)
            .map_err(|error| fail(error.to_string(), "give a raw file or block device that dom0 can open"))?;
        if bytes < 512 {
            self.io.close(unit);
            return Err(fail("the disk is smaller than a sector".to_owned(), "make it with `truncate -s SIZE FILE`"));
        }
        match self.map.attach(unit, bytes) {
            Ok(()) | Err(tesseract::Error::DiskInUse(_)) => {}
            Err(error) => {
                self.io.close(unit);
                return Err(fail(error.to_string(), "use the image as it was when the domain last ran"));
            }
        }
        if let Some(image) = self.media.images.get_mut(&unit) {
            image.bytes = Some(bytes);
            image.readonly = readonly;
        }
        Ok(bytes)
    }

    fn release_image(&mut self, unit: u16) {
        self.io.close(unit);
        self.media.images.remove(&unit);
        if let Err(error) = self.media.save() {
            tracing::warn!(%error, "the table of disks could not be written");
        }
    }
}
