//! The store as the daemon sees it.

mod attach;
mod open;
mod operate;
mod stamp;
mod syncs;

use crate::format::{DiskEntry, Geometry};
use crate::io::{Backend, Engine, FaultHook, Mailbox, Volume};
use crate::journal::Journal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use syncs::Syncs;
use tesseract::RefTable;

/// How to open a store.
#[derive(Clone)]
pub struct Options {
    /// Who does the I/O.
    pub backend: Backend,
    /// Errors on purpose, for tests.
    pub faults: Option<FaultHook>,
    /// Identifies the boot of dom0; `None`: ask the kernel.
    pub boot: Option<[u8; 16]>,
    /// How long to wait for another process to let go of the store or an image: a killed
    /// daemon's last transfers hold them until they are over.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { backend: Backend::Auto, faults: None, boot: None, patience: Duration::from_secs(10) }
    }
}

/// What an opened store brings along.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The references, as they hold now.
    pub refs: RefTable,
    /// Disks that the store may hold references of.
    pub disks: Vec<DiskEntry>,
    /// Sizes.
    pub geometry: Geometry,
    /// The store was last open in this boot of dom0: only the daemon was ended, and pages
    /// may still be swapped. Else references went back to each disk's last flush.
    pub same_boot: bool,
}

/// An attached image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attached {
    /// Its number in references.
    pub disk: u16,
    /// Its size.
    pub bytes: u64,
    /// It is read and written past the page cache.
    pub direct: bool,
    /// It carries a stamp, so that a copy or another image in its place is noticed. False for
    /// block devices and file systems without user attributes: those are known by path and size only.
    pub stamped: bool,
}

/// An open store with its attached images. Dropping it waits for what is under way.
pub struct Store {
    // Ends first: its appends need nothing else.
    journal: Journal,
    engine: Engine,
    mailbox: Arc<Mailbox>,
    volume: Arc<Volume>,
    geometry: Geometry,
    id: [u8; 16],
    /// The journal's word about disks.
    known: BTreeMap<u16, DiskEntry>,
    images: BTreeMap<u16, Arc<Volume>>,
    syncs: Syncs,
    /// The journal's thread saw a sync of the store fail.
    lost: Arc<AtomicBool>,
    /// Numbers that no new image gets.
    reserved: BTreeSet<u16>,
    patience: Duration,
}
