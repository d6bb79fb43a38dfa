//! Why a store or an image was refused, and what to do about it.

use std::path::PathBuf;

/// An error of opening, formatting or attaching.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Another process holds it.
    #[error("{0} is in use by another process: stop that one first")]
    InUse(PathBuf),
    /// The kernel, or another process, has claimed the block device.
    #[error("{0} is in use: it, or a part of it, is mounted, swap, part of an array, or open elsewhere: free it first")]
    Claimed(PathBuf),
    /// There is no store there.
    #[error("{0} holds no swap store: `cubed --store` makes one where nothing is")]
    NoStore(PathBuf),
    /// Something else is there.
    #[error(
        "{0} is not a swap store and not blank (its first and last 4 MiB are not all zeroes): give another path, or, if \
         nothing there is needed, remove the file, or clear the device with `blkdiscard --zeroout`"
    )]
    Foreign(PathBuf),
    /// A store of another layout.
    #[error("{path} has layout version {found}, this program knows {known}: use the program that made it")]
    Version {
        /// The store.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Too little room for a header and slots.
    #[error("{0} is too small for a swap store: 6 MiB is the least")]
    TooSmall(PathBuf),
    /// Its file system has no space for it.
    #[error("no space for {bytes} bytes of {path} in its file system: free some, or make the store smaller")]
    NoSpace {
        /// The store.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The file was shortened, or the superblock does not match it.
    #[error(
        "{0} is shorter than its superblock says: restore its size, or begin anew (a file: remove it; a device: blkdiscard --zeroout), which loses what is only there of disks"
    )]
    Truncated(PathBuf),
    /// The journal is damaged where it must not be.
    #[error(
        "the journal in {path} is damaged at block {block}: restore it, or begin anew (a file: remove it; a device: blkdiscard --zeroout), which loses what is only there of disks"
    )]
    Damaged {
        /// The store.
        path: PathBuf,
        /// Block of the journal area.
        block: u64,
    },
    /// An image is not the one that this store's references belong to.
    #[error(
        "{path} is not the image that the store refers to (its stamp {found}, expected {expected}): attach the original; a copy made meanwhile is not complete"
    )]
    Stale {
        /// The image.
        path: PathBuf,
        /// Its stamp.
        found: String,
        /// The store's.
        expected: String,
    },
    /// An image whose content is partly in another store.
    #[error("{path} has content in another swap store (stamp {stamp}): attach it there and resolve its references")]
    OtherStore {
        /// The image.
        path: PathBuf,
        /// Its stamp.
        stamp: String,
    },
    /// No number is left for the disk, or the table of disks is full.
    #[error("the store knows 1000 disks already: resolve and forget one")]
    TooManyDisks,
    /// The image is attached already.
    #[error("{0} is attached already")]
    Attached(PathBuf),
    /// The path is too long for the disk table.
    #[error("{0}: path longer than 200 bytes")]
    LongPath(PathBuf),
}

impl Error {
    pub(crate) fn io(what: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}
