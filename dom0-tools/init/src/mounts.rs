//! The file systems that every Linux user space expects, and hugetlbfs for the service channel.

use rustix::mount::{MountFlags, mount};
use std::ffi::CStr;

/// Where `cubed` takes its huge pages.
pub const HUGE_PAGES: &str = "/dev/hugepages";

const MOUNTS: [(&str, &str, Option<&CStr>); 8] = [
    ("proc", "/proc", None),
    ("sysfs", "/sys", None),
    ("devtmpfs", "/dev", None),
    ("devpts", "/dev/pts", Some(c"mode=620,ptmxmode=666")),
    ("tmpfs", "/dev/shm", None),
    ("tmpfs", "/run", Some(c"mode=755")),
    ("tmpfs", "/tmp", Some(c"mode=1777")),
    ("hugetlbfs", HUGE_PAGES, Some(c"pagesize=2M")),
];

/// Mounts them all; what a kernel lacks is said and left out.
pub fn mount_all() {
    for (kind, target, data) in MOUNTS {
        let done = std::fs::create_dir_all(target)
            .and_then(|()| mount(kind, target, kind, MountFlags::empty(), data).map_err(Into::into));
        // Kernels with DEVTMPFS_MOUNT have already mounted /dev.
        if let Err(error) = done
            && !(target == "/dev" && error.raw_os_error() == Some(libc::EBUSY))
        {
            crate::say(&format!("{target}: {error}"));
        }
    }
}
