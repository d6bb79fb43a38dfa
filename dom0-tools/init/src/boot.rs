//! `/boot`: the disk that GRUB read, where the kernel and the initramfs of guests are. Without such a disk (a machine that
//! was started from something else) it stays empty.

use init::BOOT_DISK;
use rustix::mount::{MountFlags, mount};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const TARGET: &str = "/boot";

/// Mounts it, read-only: dom0 changes nothing that it was started from.
pub fn mount_disk() {
    let Some(node) = partition() else {
        return;
    };
    let done = fs::create_dir_all(TARGET)
        .and_then(|()| mount(node, TARGET, c"vfat", MountFlags::RDONLY, None).map_err(io::Error::from));
    if let Err(error) = done {
        crate::say(&format!("{TARGET}: {error}"));
    }
}

/// The disk's first partition: the one that the kernel shows below the disk with that number.
fn partition() -> Option<PathBuf> {
    let disk = fs::canonicalize(Path::new("/dev").join(BOOT_DISK)).ok()?;
    let below = fs::read_dir(Path::new("/sys/block").join(disk.file_name()?)).ok()?;
    let is_first = |path: &Path| fs::read_to_string(path.join("partition")).is_ok_and(|number| number.trim() == "1");
    let found = below.flatten().find(|entry| is_first(&entry.path()))?;
    Some(Path::new("/dev").join(found.file_name()))
}
