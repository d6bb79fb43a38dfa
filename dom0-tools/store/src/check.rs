//! Looking at a store without changing it.

use crate::Error;
use crate::format::{DiskEntry, Geometry};
use crate::io::Volume;
use crate::journal::{load, superblock};
use std::path::Path;
use std::time::Duration;

/// What a store holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Sizes.
    pub geometry: Geometry,
    /// Journal generation.
    pub generation: u64,
    /// Journal blocks in use.
    pub blocks: u64,
    /// Disk blocks with a reference, now or as of the last flush.
    pub refs: usize,
    /// Those that changed since their disk's last flush.
    pub tentative: usize,
    /// Known disks.
    pub disks: Vec<DiskEntry>,
    /// Journal block that is missing though later ones are there: lost with the power, or damage.
    pub gap: Option<u64>,
    /// Disk blocks whose slot does not exist.
    pub wild: usize,
}

/// Reads a store that nobody has open.
///
/// # Errors
/// If there is none, it is in use, or it cannot be read.
pub fn check(path: &Path) -> Result<Report, Error> {
    let volume = Volume::open(path, false, None, Duration::ZERO)?;
    let superblock = superblock(&volume)?;
    let loaded = load(&volume, &superblock)?;
    let refs = &loaded.state.refs;
    Ok(Report {
        geometry: superblock.geometry,
        generation: superblock.generation,
        blocks: loaded.blocks,
        refs: refs.len(),
        tentative: refs.disks().map(|d| refs.tentative(d)).sum(),
        gap: loaded.gap,
        wild: refs.holds().filter(|&slot| slot >= superblock.geometry.slots).count(),
        disks: loaded.state.disks.into_values().collect(),
    })
}
