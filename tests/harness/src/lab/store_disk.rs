//! One disk for both, as on a real host: the hypervisor's store and a guest's disk on partitions
//! of the same modelled disk, so that their heads are one head.

use crate::{
    disk_model::{Model, Server},
    image::mbr::{self, Partition},
};
use anyhow::Result;
use std::{fs::File, path::Path};

const LINUX: u8 = 0x83;

/// The disk, which is to be the machine's first `--disk`.
pub struct PartitionedDisk {
    /// Serves it.
    pub server: Server,
    /// dom0's name of the hypervisor's store.
    pub store: &'static str,
    /// dom0's name of the guest's disk.
    pub guest: &'static str,
}

/// Makes the disk in `folder` with a store and a guest disk of so many MiB.
pub fn partitioned(folder: &Path, store: u64, guest: u64, model: Model) -> Result<PartitionedDisk> {
    let file = folder.join("modelled-disk.img");
    let _ = std::fs::remove_file(&file);
    File::create(&file)?.set_len((store + guest + 1) << 20)?;
    let first = Partition { kind: LINUX, start: 1 << 20, bytes: store << 20 };
    let second = Partition { kind: LINUX, start: first.start + first.bytes, bytes: guest << 20 };
    mbr::write(&file, &[first, second])?;
    let server = Server::start(&file, &folder.join("modelled-disk.socket"), model)?;
    Ok(PartitionedDisk { server, store: "/dev/disk0-part1", guest: "/dev/disk0-part2" })
}
