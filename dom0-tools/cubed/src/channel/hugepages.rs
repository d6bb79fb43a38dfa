//! Huge pages shared with the hypervisor: a file in hugetlbfs.
//!
//! The file stays when the daemon is killed, so its pages are not given to anyone else while the
//! hypervisor may still look at them, and the next daemon maps the same ones.

use super::mapping::Mapping;
use super::{AttachError, pagemap, sysfs};
use rustix::fs::{FallocateFlags, fallocate, statfs};
use rustix::mount::{MountFlags, mount};
use std::fs::File;
use std::path::Path;

const DIRECTORY: &str = "/dev/hugepages";
const FILE: &str = "/dev/hugepages/cubed";
const SYSFS: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";
const HUGETLBFS_MAGIC: u64 = 0x9584_58f6;

/// Size of a huge page in bytes.
pub const HUGE: usize = 2 << 20;

/// Huge pages of the file, with their physical addresses.
#[derive(Debug)]
pub struct HugePages {
    file: File,
    count: usize,
}

impl HugePages {
    /// Opens the file with `want` pages, or as many as there are but no fewer than `need`.
    ///
    /// # Errors
    /// [`AttachError::HugePages`], [`AttachError::File`].
    pub fn open(want: usize, need: usize) -> Result<Self, AttachError> {
        prepare()?;
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(FILE)
            .map_err(AttachError::file("opening", FILE))?;
        let have = file.metadata().map_err(AttachError::file("reading", FILE))?.len() / HUGE as u64;
        grow_reserve(want.saturating_sub(usize::try_from(have).unwrap_or(0)));
        let count = (need..=want).rev().find(|count| allocate(&file, *count));
        match count {
            Some(count) => Ok(Self { file, count }),
            None => Err(AttachError::HugePages { got: free(), need }),
        }
    }

    /// How many pages there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Maps `count` pages from page `first`, and gives the physical address of each.
    ///
    /// # Errors
    /// [`AttachError::File`], [`AttachError::Pagemap`].
    pub fn map(&self, first: usize, count: usize) -> Result<(Mapping, Vec<u64>), AttachError> {
        let mapping = Mapping::new(&self.file, (first * HUGE) as u64, count * HUGE)
            .map_err(AttachError::file("mapping", FILE))?;
        let mut physical = Vec::with_capacity(count);
        for page in 0..count {
            // Present in the page table only once touched.
            mapping.store(page * HUGE, 0, std::sync::atomic::Ordering::Relaxed);
            physical.push(pagemap::physical(mapping.address(page * HUGE))?);
        }
        Ok((mapping, physical))
    }
}

/// Mounts hugetlbfs where nobody did.
fn prepare() -> Result<(), AttachError> {
    std::fs::create_dir_all(DIRECTORY).map_err(AttachError::file("creating", DIRECTORY))?;
    let kind = statfs(DIRECTORY).map_err(|error| AttachError::file("reading", DIRECTORY)(error.into()))?;
    if kind.f_type.cast_unsigned() == HUGETLBFS_MAGIC {
        return Ok(());
    }
    mount("hugetlbfs", DIRECTORY, "hugetlbfs", MountFlags::empty(), Some(c"pagesize=2M"))
        .map_err(|error| AttachError::file("mounting hugetlbfs on", DIRECTORY)(error.into()))
}

/// Takes the pages now, so that a later touch cannot fail with a signal.
fn allocate(file: &File, count: usize) -> bool {
    let len = (count * HUGE) as u64;
    fallocate(file, FallocateFlags::empty(), 0, len).is_ok()
}

fn free() -> usize {
    let number = sysfs::number(&Path::new(SYSFS).join("free_hugepages"));
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Asks the kernel for more huge pages; it gives what it can, which the allocation then shows.
fn grow_reserve(more: usize) {
    let missing = more.saturating_sub(free());
    let path = Path::new(SYSFS).join("nr_hugepages");
    if missing > 0
        && let Some(now) = sysfs::number(&path)
    {
        let _ = sysfs::write(&path, &(now + missing as u64).to_string());
    }
}
