//! Names that do not depend on the bus: `/dev/disk0` is the first `--disk` of the harness, be it
//! virtio, NVMe or ATA. The harness gives its disks the serial numbers (ATA on Bochs: the model) `disk0`, ...
//! and [`BOOT_DISK`]. A partition is `/dev/disk0-part1`, as udev would call it.

use crate::parameter;
use init::BOOT_DISK;
use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    thread::sleep,
    time::{Duration, Instant},
};

const BLOCK: &str = "/sys/block";
/// Where buses show a serial number or a model, below a disk's folder.
const NAMES: [&str; 3] = ["serial", "device/serial", "device/model"];
/// Disk probing is asynchronous; this is how long it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Links the disks that are there.
pub fn name_all() {
    let expected = parameter::value(parameter::DISKS).and_then(|count| count.parse().ok()).unwrap_or(0);
    let start = Instant::now();
    while link_all() < expected {
        if start.elapsed() > PATIENCE {
            return crate::say("some disks did not appear; see dmesg");
        }
        sleep(Duration::from_millis(20));
    }
}

/// Links every disk that carries one of our names and counts them.
fn link_all() -> usize {
    let Ok(folder) = fs::read_dir(BLOCK) else {
        return 0;
    };
    folder.flatten().filter(|disk| name_of(&disk.path()).is_some_and(|name| link(&disk.path(), &name))).count()
}

fn name_of(disk: &Path) -> Option<String> {
    NAMES.iter().find_map(|file| {
        let text = fs::read_to_string(disk.join(file)).ok()?;
        let name = text.trim().trim_end_matches('\0');
        let ours = name == BOOT_DISK || name.strip_prefix("disk")?.parse::<u32>().is_ok();
        ours.then(|| name.to_owned())
    })
}

/// Links the disk and its partitions: the folders below the disk's that have a number.
fn link(disk: &Path, name: &str) -> bool {
    for part in fs::read_dir(disk).into_iter().flatten().flatten() {
        if let Ok(number) = fs::read_to_string(part.path().join("partition")) {
            link_one(&part.path(), &format!("{name}-part{}", number.trim()));
        }
    }
    link_one(disk, name)
}

fn link_one(folder: &Path, name: &str) -> bool {
    let Some(node) = folder.file_name() else {
        return false;
    };
    let node = Path::new("/dev").join(node);
    let path = Path::new("/dev").join(name);
    node.exists() && (path.exists() || symlink(node, path).is_ok())
}
