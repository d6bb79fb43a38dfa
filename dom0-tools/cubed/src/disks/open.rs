//! Opens the store as the command line says, and makes an executor of it.

use super::stored::Stored;
use super::{Disks, Media};
use rustix::fs::statfs;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use store::{Options, Recovered, Store};
use tesseract::{Config, Map};

/// Size of the store that only keeps the books when no store was given.
const BOOKS: u64 = 16 << 20;
const TMPFS: u64 = 0x0102_1994;
const RAMFS: u64 = 0x8584_58f6;

/// What the command line says of the store.
#[derive(Debug, Clone)]
pub struct StoreChoice {
    /// File or block device; `None`: there is nothing to swap to.
    pub path: Option<PathBuf>,
    /// Size of a file that is made.
    pub size: u64,
    /// A file in memory is allowed.
    pub in_memory: bool,
}

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It would be in memory.
    #[error(
        "{0} is in memory: swapping there would use up as much memory as it frees; give a file on a disk or a block \
         device, or, for a trial, --store-in-memory"
    )]
    InMemory(PathBuf),
    /// The store.
    #[error("swap store: {0}")]
    Store(#[from] store::Error),
    /// The map.
    #[error("swap store: {0}")]
    Map(#[from] tesseract::Error),
    /// The file system.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// An executor over the store, and a descriptor that is readable when accesses have ended.
/// `state`: where the books are kept if there is no store.
///
/// # Errors
/// [`OpenError`], each with what to do about it.
pub fn open(choice: &StoreChoice, state: &Path) -> Result<(Disks, RawFd), OpenError> {
    let books = state.join("books");
    let path = choice.path.as_deref().unwrap_or(&books);
    if choice.path.is_some() && !choice.in_memory && is_in_memory(path)? {
        return Err(OpenError::InMemory(path.to_owned()));
    }
    let size = if choice.path.is_some() { choice.size } else { BOOKS };
    let (store, found) = open_or_make(path, size)?;
    let slots = if choice.path.is_some() { found.geometry.slots } else { 0 };
    let mut config = Config::new(slots);
    config.max_refs = usize::try_from(found.geometry.max_refs()).unwrap_or(usize::MAX);
    tracing::info!(path = %path.display(), slots, same_boot = found.same_boot, backend = ?store.backend(), direct = store.direct(), "the swap store is open");
    let known = found.disks.iter().map(|disk| PathBuf::from(&disk.path)).collect();
    let map = Map::restore(config, found.refs.clone())?;
    let io = Stored::new(store, found.refs);
    let event = io.event();
    Ok((Disks::new(map, Box::new(io), Media::new(choice.path.clone(), known)), event))
}

/// A size is only for files; a block device is used as it is.
fn file_size(path: &Path, size: u64) -> Option<u64> {
    let other = std::fs::metadata(path).is_ok_and(|meta| !meta.is_file());
    (!other).then_some(size)
}

/// The store that is there; where there is none, a new one, unless something else may be there.
fn open_or_make(path: &Path, size: u64) -> Result<(Store, Recovered), store::Error> {
    if path.exists() {
        match Store::open(path, &Options::default()) {
            Err(store::Error::NoStore(_)) => {}
            opened => return opened,
        }
    }
    let geometry = Store::format(path, file_size(path, size))?;
    tracing::info!(path = %path.display(), slots = geometry.slots, "a new swap store");
    Store::open(path, &Options::default())
}

fn is_in_memory(path: &Path) -> Result<bool, OpenError> {
    if std::fs::metadata(path).is_ok_and(|meta| !meta.is_file()) {
        return Ok(false);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let kind = statfs(folder).map_err(|error| OpenError::File { path: folder.to_owned(), source: error.into() })?;
    Ok([TMPFS, RAMFS].contains(&kind.f_type.cast_unsigned()))
}
