//! dom0's initramfs.

use super::{archive::Archive, modules, rootfs};
use crate::{
    build::{HYPERVISOR, Programs},
    setup::Kernel,
};
use anyhow::{Context, Result};
use std::{fs, path::Path};

/// Drivers of disks and of the service channel are loaded at boot.
const MODULES: modules::Wanted<'static> = modules::Wanted {
    load: &[
        "virtio_pci",
        "virtio_blk",
        "nvme",
        "ahci",
        "ata_piix",
        "sd_mod",
        "vfat",
        "nls_cp437",
        "nls_ascii",
        "ext4",
        "uio_pci_generic",
    ],
    present: &["loop", "9p", "9pnet_virtio", "isofs", "virtio_rng", "virtio_net", "overlay", "msr"],
};
/// Where a kernel and an initramfs for guests are, and where on the boot disk they really are: what GRUB loads costs an
/// emulated machine time at each start.
const GUEST: (&str, &str) = ("usr/share/hypercube/guest", "/boot/guest");
/// Where the small test kernels are.
const TEST_GUESTS: &str = "usr/share/hypercube/testguest";

/// Makes the archive.
pub fn initramfs(kernel: &Kernel, bare_metal: &Programs, tools: &Programs) -> Result<Vec<u8>> {
    let mut root = rootfs::minimal()?;
    modules::add(&mut root, kernel, &MODULES)?;
    for (name, path) in tools {
        let place = if name == "init" { "init".to_owned() } else { format!("usr/bin/{name}") };
        program(&mut root, &place, path)?;
    }
    for (name, path) in bare_metal.iter().filter(|(name, _)| *name != HYPERVISOR) {
        program(&mut root, &format!("{TEST_GUESTS}/{name}"), path)?;
    }
    root.folder("boot");
    root.link(GUEST.0, GUEST.1);
    root.finish()
}

fn program(root: &mut Archive, place: &str, path: &Path) -> Result<()> {
    root.file(place, 0o755, fs::read(path).with_context(|| path.display().to_string())?);
    Ok(())
}
