//! The store at rest: superblocks, two journal areas, slots. See `docs/store.md`.

mod block;
mod disk_entry;
mod geometry;
mod superblock;

pub(crate) use block::{Body, RECORDS, decode, encode, encode_disks};
pub use disk_entry::DiskEntry;
pub(crate) use disk_entry::{ENTRIES, LONGEST_PATH};
pub use geometry::Geometry;
pub(crate) use superblock::{Superblock, SuperblockFound, VERSION};
