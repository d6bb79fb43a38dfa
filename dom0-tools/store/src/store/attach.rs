//! Attaching guests' raw images, each under the number that its references have.

use super::stamp::{self, Carried, Stamp};
use super::{Attached, Store};
use crate::Error;
use crate::format::{DiskEntry, LONGEST_PATH};
use crate::io::Volume;
use crate::random::random;
use std::path::Path;
use std::sync::Arc;
use tesseract::RefTable;

/// Numbers of disks: 1 and up.
const DISKS: u16 = 1000;

impl Store {
    /// Attaches an image. `refs` tells whether references of a known disk exist (the map's or
    /// [`super::Recovered`]'s). The image must be the one that they belong to.
    ///
    /// # Errors
    /// If it is in use, another one than it should be, or the system refuses.
    pub fn attach(&mut self, path: &Path, write: bool, refs: &RefTable) -> Result<Attached, Error> {
        self.attach_as(path, write, refs, None)
    }

    /// As [`Self::attach`]. `number`: the one that it had, for an image that the store does not
    /// know any more (it was read-only); it gets another if that one is taken.
    ///
    /// # Errors
    /// As [`Self::attach`].
    pub fn attach_as(
        &mut self,
        path: &Path,
        write: bool,
        refs: &RefTable,
        number: Option<u16>,
    ) -> Result<Attached, Error> {
        let full = path.canonicalize().map_err(Error::io("cannot find", path))?;
        let name = full.to_string_lossy().into_owned();
        if name.len() > LONGEST_PATH {
            return Err(Error::LongPath(full));
        }
        if self.images.values().any(|v| v.path() == full) {
            return Err(Error::Attached(full));
        }
        let mut volume = Volume::open(&full, write, Some(0), self.patience)?;
        let carried = stamp::read(&volume)?;
        let entry = self.identify(&full, &name, volume.bytes(), carried, refs)?;
        let (disk, fresh) = match entry {
            Some(entry) => (entry.disk, false),
            None => (self.free_number(number, refs)?, true),
        };
        if self.images.contains_key(&disk) {
            return Err(Error::Attached(full));
        }
        volume.disk = Some(disk);
        let stamped = if write { self.stamp(&volume, disk, fresh, name)? } else { carried != Carried::Unable };
        let attached = Attached { disk, bytes: volume.bytes(), direct: volume.direct(), stamped };
        self.images.insert(disk, Arc::new(volume));
        Ok(attached)
    }

    /// Keeps a number, as long as the store is open, for an image that is attached as it: guests'
    /// pages may name blocks of it.
    pub fn reserve(&mut self, disk: u16) {
        self.reserved.insert(disk);
    }

    /// Lets go of an image. `resolved`: no reference of it is left, and it may be forgotten.
    ///
    /// # Errors
    /// If the stamp or the journal cannot be written; the image is let go of all the same.
    pub fn detach(&mut self, disk: u16, resolved: bool) -> Result<(), Error> {
        let Some(volume) = self.images.remove(&disk) else {
            return Ok(());
        };
        if !resolved {
            return Ok(());
        }
        // First the image: one without a stamp and without references is accepted, a stamp
        // that no journal knows is not.
        stamp::remove(&volume)?;
        if let Some(mut entry) = self.known.remove(&disk) {
            entry.known = false;
            self.put(entry)?;
        }
        Ok(())
    }

    /// Which known disk it is; `None`: a new one.
    fn identify(
        &self,
        full: &Path,
        name: &str,
        bytes: u64,
        carried: Carried,
        refs: &RefTable,
    ) -> Result<Option<DiskEntry>, Error> {
        let by_path = self.known.values().find(|d| d.path == name);
        let stale = |found: String, entry: &DiskEntry| Error::Stale {
            path: full.to_path_buf(),
            found,
            expected: Stamp { store: self.id, image: entry.stamp }.to_string(),
        };
        match carried {
            Carried::Stamp(found) if found.store == self.id => {
                match self.known.values().find(|d| d.carries(&found.image)) {
                    Some(entry) => Ok(Some(entry.clone())),
                    None => Err(Error::Stale {
                        path: full.to_path_buf(),
                        found: found.to_string(),
                        expected: by_path.map_or_else(
                            || "none: the store has forgotten it".into(),
                            |d| Stamp { store: self.id, image: d.stamp }.to_string(),
                        ),
                    }),
                }
            }
            Carried::Stamp(found) => Err(Error::OtherStore { path: full.to_path_buf(), stamp: found.to_string() }),
            Carried::None => match by_path {
                Some(entry) if refs.refers(entry.disk) => Err(stale("missing".into(), entry)),
                other => Ok(other.cloned()),
            },
            Carried::Unable => match by_path {
                Some(entry) if refs.refers(entry.disk) && entry.bytes != bytes => {
                    Err(stale(format!("size {bytes} instead of {}", entry.bytes), entry))
                }
                other => Ok(other.cloned()),
            },
        }
    }

    /// Gives the image a new stamp. Until the journal knows that it carries it, both count.
    fn stamp(&mut self, volume: &Volume, disk: u16, fresh: bool, path: String) -> Result<bool, Error> {
        let next = random().map_err(Error::io("no random bytes for", volume.path()))?;
        let old = if fresh { next } else { self.known.get(&disk).map_or(next, |d| d.stamp) };
        let mut entry =
            DiskEntry { disk, known: true, bytes: volume.bytes(), stamp: old, next_stamp: Some(next), path };
        self.put(entry.clone())?;
        let stamped = stamp::write(volume, &Stamp { store: self.id, image: next })?;
        (entry.stamp, entry.next_stamp) = (next, None);
        self.put(entry)?;
        Ok(stamped)
    }

    fn put(&mut self, entry: DiskEntry) -> Result<(), Error> {
        if entry.known {
            self.known.insert(entry.disk, entry.clone());
        }
        self.journal.put_disk(entry).map_err(Error::io("cannot write the journal of", self.volume.path()))
    }

    fn free_number(&self, wanted: Option<u16>, refs: &RefTable) -> Result<u16, Error> {
        let taken = |n: &u16| self.known.contains_key(n) || self.images.contains_key(n) || refs.refers(*n);
        let mut free = (1..=DISKS).filter(|n| !taken(n));
        let wanted = wanted.filter(|wanted| free.clone().any(|n| n == *wanted));
        wanted.or_else(|| free.find(|n| !self.reserved.contains(n))).ok_or(Error::TooManyDisks)
    }
}
