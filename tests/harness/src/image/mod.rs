//! What a machine boots from: a disk image with GRUB, the hypervisor, dom0's kernel and initramfs.
//!
//! The base image is made once and copied for each run; a run adds its GRUB menu and its overlay.

mod archive;
mod dom0;
mod fat;
mod grub;
mod guest;
pub mod mbr;
mod modules;
mod overlay;
mod rootfs;
mod run_image;

pub use grub::BootLine;
pub use modules::paths as module_paths;
pub use overlay::Overlay;
pub use run_image::make as for_run;

use crate::{
    build::{HYPERVISOR, Programs},
    command,
    setup::Kernel,
    stamp,
    tree::Tree,
};
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The base image for these parts, made anew when one of them changed.
pub fn base(tree: &Tree, kernel: &Kernel, bare_metal: &Programs, tools: &Programs) -> Result<PathBuf> {
    let folder = tree.folder("image")?;
    let kind = if bare_metal.is_empty() { "bare" } else { "full" };
    let disk = folder.join(format!("{kind}-{}.img", kernel.release));
    let stamp = disk.with_extension("stamp");
    let parts = stamp::fingerprint(parts(tree, kernel, bare_metal, tools)?)?;
    if disk.exists() && stamp::says(&stamp, &parts) {
        return Ok(disk);
    }
    eprintln!("making the boot image");
    let guest = guest::initramfs(tree, kernel, tools)?;
    let guest_folder = tree.folder("guest")?;
    fs::write(guest_folder.join("initrd"), guest)?;
    fs::copy(&kernel.image, guest_folder.join("vmlinuz"))?;
    let initrd = folder.join(format!("initrd-{kind}.img"));
    fs::write(&initrd, dom0::initramfs(kernel, bare_metal, tools)?)?;
    let hypervisor = bare_metal.get(HYPERVISOR).map(|elf| without_symbols(elf, &folder)).transpose()?;
    let fresh = disk.with_extension("new");
    fat::create(&fresh)?;
    grub::install(&fresh, &folder)?;
    fat::copy_in(&fresh, &kernel.image, "/vmlinuz")?;
    fat::copy_in(&fresh, &initrd, "/initrd.img")?;
    fat::create_folder(&fresh, "/guest")?;
    for name in ["vmlinuz", "initrd"] {
        fat::copy_in(&fresh, &guest_folder.join(name), &format!("/guest/{name}"))?;
    }
    if let Some(hypervisor) = hypervisor {
        fat::copy_in(&fresh, &hypervisor, "/hypercube")?;
    }
    fs::rename(&fresh, &disk)?;
    fs::write(stamp, parts)?;
    Ok(disk)
}

fn parts(tree: &Tree, kernel: &Kernel, bare_metal: &Programs, tools: &Programs) -> Result<Vec<PathBuf>> {
    let mut parts = vec![kernel.image.clone(), std::env::current_exe()?, tree.root.join(guest::INIT)];
    parts.extend(bare_metal.values().chain(tools.values()).cloned());
    Ok(parts)
}

/// GRUB reads the whole file, so symbols would cost boot time.
pub fn without_symbols(elf: &Path, folder: &Path) -> Result<PathBuf> {
    let name = elf.file_name().unwrap_or_default();
    let stripped = folder.join(name).with_extension("stripped");
    command::run(Command::new("strip").arg("-o").arg(&stripped).arg(elf))?;
    Ok(stripped)
}
