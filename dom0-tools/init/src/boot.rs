//! `/boot`: the disk that GRUB read, where the kernel and the initramfs of guests are. Without such a disk (a machine that
//! was started from something else) it stays empty.

use init::BOOT_DISK;
use rustix::mount::{MountFlags, mount};
use std::{fs, io, path::Path};

const TARGET: &str = "/boot";

/// Mounts its partition, read-only: dom0 changes nothing that it was started from.
pub fn mount_disk() {
    let disk = Path::new("/dev").join(BOOT_DISK);
    if !disk.exists() {
        return;
    }
    let partition = disk.with_file_name(format!("{BOOT_DISK}-part1"));
    let done = fs::create_dir_all(TARGET)
        .and_then(|()| mount(&partition, TARGET, c"vfat", MountFlags::RDONLY, None).map_err(io::Error::from));
    if let Err(error) = done {
        crate::say(&format!("{} at {TARGET}: {error}", partition.display()));
    }
}
