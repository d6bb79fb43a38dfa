//! Which image has which number, and who uses it.

use super::Disks;
use crate::domains::record::DiskRecord;
use protocol::{ErrorCode, Failure, StoreDisk};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// An open image.
#[derive(Debug)]
struct Image {
    path: PathBuf,
    readonly: bool,
    bytes: u64,
    users: BTreeSet<u32>,
    /// Its references are being copied home, since when.
    resolving: Option<Instant>,
    /// Whose last user's end brought that about.
    left: Option<u32>,
    /// It was to be closed, but accesses of a domain that is gone were under way.
    again: bool,
}

/// The table of open images.
#[derive(Debug, Default)]
pub struct Media {
    store: Option<PathBuf>,
    known: Vec<PathBuf>,
    images: BTreeMap<u16, Image>,
    /// Domains that are gone, and how long one of their disks took to be copied home.
    resolved: Vec<(u32, Duration)>,
}

impl Media {
    /// No image is open. `store` is told to clients; `known` are images that may have references
    /// of earlier days.
    #[must_use]
    pub fn new(store: Option<PathBuf>, known: Vec<PathBuf>) -> Self {
        Self { store, known, images: BTreeMap::new(), resolved: Vec::new() }
    }

    /// The store's path, if there is a store.
    #[must_use]
    pub fn store(&self) -> Option<&Path> {
        self.store.as_deref()
    }

    /// A domain is gone: the images that nobody uses any more.
    pub(super) fn leave(&mut self, domain: u32) -> Vec<u16> {
        let mut units = Vec::new();
        for (unit, image) in &mut self.images {
            if image.users.remove(&domain) && image.users.is_empty() {
                image.left = Some(domain);
                units.push(*unit);
            }
        }
        units
    }

    /// The open images, for clients; `references` tells how many an image has.
    pub(super) fn shown(&self, references: impl Fn(u16) -> u64) -> Vec<StoreDisk> {
        let disk = |(unit, image): (&u16, &Image)| StoreDisk {
            path: image.path.clone(),
            references: references(*unit),
            domains: image.users.iter().copied().collect(),
            resolving: image.resolving.is_some(),
        };
        self.images.iter().map(disk).collect()
    }

    /// True if the domain uses the image of this number.
    pub(super) fn uses(&self, domain: u32, unit: u16) -> bool {
        self.images.get(&unit).is_some_and(|image| image.users.contains(&domain))
    }

    fn number(&self, path: &Path) -> Option<u16> {
        self.images.iter().find(|(_, image)| image.path == path).map(|(unit, _)| *unit)
    }
}

impl Disks {
    /// Opens the images that an earlier daemon left with references and that no domain uses.
    pub fn open_known(&mut self) {
        for path in std::mem::take(&mut self.media.known) {
            if self.media.number(&path).is_none()
                && let Err(failure) = self.open(&path, false, None)
            {
                tracing::error!(%failure, "blocks of this disk are in the swap store only: keep both");
            }
        }
    }

    /// A domain of an earlier daemon has a disk of this number: no other image is to get it, even
    /// if that disk cannot be opened.
    pub fn reserve(&mut self, unit: u16) {
        self.io.reserve(unit);
    }

    /// Opens the disk of a domain of an earlier daemon. All such disks' numbers have been reserved.
    pub fn adopt(&mut self, domain: u32, disk: &DiskRecord) {
        match self.attach_as(&disk.path, disk.readonly, Some(disk.unit)) {
            Ok((unit, _)) if unit == disk.unit => self.enter(domain, unit),
            Ok((unit, _)) => {
                tracing::error!(domain, path = %disk.path.display(), unit, expected = disk.unit, "this is another disk than before: the domain's requests to it fail");
            }
            Err(failure) => {
                tracing::error!(domain, %failure, "a running domain's disk cannot be opened: its requests fail")
            }
        }
    }

    /// Puts an image at the disposal of a domain: its number and its size in 512-byte sectors.
    ///
    /// # Errors
    /// If it cannot be opened, or others use it in a way that does not go together.
    pub fn attach(&mut self, path: &Path, readonly: bool) -> Result<(u16, u64), Failure> {
        self.attach_as(path, readonly, None)
    }

    fn attach_as(&mut self, path: &Path, readonly: bool, unit: Option<u16>) -> Result<(u16, u64), Failure> {
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let known = self.media.number(&path);
        if let Some((unit, image)) = known.and_then(|unit| self.media.images.get_key_value(&unit)) {
            let message = |what: &str| format!("{}: {what}", path.display());
            if !(image.users.is_empty() || readonly && image.readonly) {
                let hint = "stop that domain, give each its own copy, or set readonly = true in both files";
                return Err(Failure::new(ErrorCode::Exists, message("another domain uses it"), hint));
            }
            if image.readonly != readonly {
                let what = "its last user's blocks are still being copied home";
                return Err(Failure::new(ErrorCode::WrongState, message(what), "try again in a moment"));
            }
            return Ok((*unit, image.bytes / 512));
        }
        let (unit, bytes) = self.open(&path, readonly, unit)?;
        Ok((unit, bytes / 512))
    }

    /// A domain uses an image from now on.
    pub fn enter(&mut self, domain: u32, unit: u16) {
        if let Some(image) = self.media.images.get_mut(&unit) {
            image.users.insert(domain);
        }
    }

    /// Closes images that nobody uses, once they refer to the store no more.
    pub fn retire_unused(&mut self) {
        let unused: Vec<u16> = self
            .media
            .images
            .iter()
            .filter(|(_, i)| i.users.is_empty() && i.resolving.is_none())
            .map(|(unit, _)| *unit)
            .collect();
        unused.into_iter().for_each(|unit| self.retire(unit));
    }

    /// Domains that are gone whose disks have been copied home since the last call, each disk with how long it took.
    pub fn take_resolved(&mut self) -> Vec<(u32, Duration)> {
        std::mem::take(&mut self.media.resolved)
    }

    /// Goes on closing what was busy.
    pub(super) fn retire_again(&mut self) {
        let again = self.media.images.iter_mut().filter_map(|(unit, i)| std::mem::take(&mut i.again).then_some(*unit));
        for unit in again.collect::<Vec<_>>() {
            if self.media.images.get(&unit).is_some_and(|image| image.users.is_empty()) {
                self.retire(unit);
            }
        }
    }

    /// An image that nobody uses any more: its references are copied home, then it is closed.
    pub(super) fn retire(&mut self, unit: u16) {
        let Some(image) = self.media.images.get_mut(&unit) else { return };
        match self.map.resolve_all(unit) {
            Ok(actions) => {
                image.resolving.get_or_insert_with(Instant::now);
                self.take(actions);
            }
            Err(error) => tracing::warn!(unit, %error, "a disk cannot be closed"),
        }
    }

    /// The references of an image have been copied home.
    pub(super) fn resolved(&mut self, unit: u16, ok: bool) {
        let Some(image) = self.media.images.get_mut(&unit) else { return };
        let took = image.resolving.take().map(|since| since.elapsed()).unwrap_or_default();
        let left = image.left.take();
        if !image.users.is_empty() {
            return;
        }
        if !ok {
            image.left = left;
            tracing::error!(path = %image.path.display(), "blocks of this image are in the swap store only: keep both");
            return;
        }
        match self.map.detach(unit, false) {
            Ok(()) => {
                self.media.resolved.extend(left.map(|domain| (domain, took)));
                self.media.images.remove(&unit);
                self.io.close(unit, true);
            }
            Err(tesseract::Error::Busy(_)) => {
                (image.again, image.left) = (true, left);
            }
            Err(error) => tracing::warn!(unit, %error, "a disk cannot be closed yet"),
        }
    }

    fn open(&mut self, path: &Path, readonly: bool, unit: Option<u16>) -> Result<(u16, u64), Failure> {
        let (unit, bytes) = self.io.open(path, readonly, unit).map_err(|text| {
            let hint = "see that the domain file names the right image, that it can be read (and written, unless \
                        `readonly`), and that nothing else uses it";
            Failure::new(ErrorCode::BadDomainFile, text, hint)
        })?;
        let fail = |what: String, hint: &str| {
            Failure::new(ErrorCode::BadDomainFile, format!("{}: {what}", path.display()), hint)
        };
        if bytes < 512 {
            // Cut off while nobody looked, its blocks may be in the store all the same.
            self.io.close(unit, self.map.references(unit) == 0);
            return Err(fail("the disk is smaller than a sector".to_owned(), "make it with `truncate -s SIZE FILE`"));
        }
        if let Err(error) = self.map.attach(unit, bytes) {
            self.io.close(unit, false);
            return Err(fail(error.to_string(), "use the image as it was when its domain last ran"));
        }
        let image = Image {
            path: path.to_owned(),
            readonly,
            bytes,
            users: BTreeSet::new(),
            resolving: None,
            left: None,
            again: false,
        };
        self.media.images.insert(unit, image);
        Ok((unit, bytes))
    }
}
