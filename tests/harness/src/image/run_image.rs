//! A run's own copy of the base image.

use super::{Overlay, fat, without_symbols};
use crate::command;
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Copies `base` into `folder` and adds GRUB's menu, the overlay and, if given, another multiboot2
/// image in the hypervisor's place.
pub fn make(base: &Path, folder: &Path, menu: &str, overlay: &Overlay, kernel: Option<&Path>) -> Result<PathBuf> {
    let disk = folder.join("boot.img");
    command::run(Command::new("cp").args(["--sparse=always", "--reflink=auto"]).arg(base).arg(&disk))?;
    let file = folder.join("grub.cfg");
    fs::write(&file, menu)?;
    fat::copy_in(&disk, &file, "/grub/grub.cfg")?;
    let archive = folder.join("overlay.img");
    fs::write(&archive, overlay.archive()?)?;
    fat::copy_in(&disk, &archive, "/overlay.img")?;
    fs::remove_file(archive)?;
    if let Some(kernel) = kernel {
        fat::copy_in(&disk, &without_symbols(kernel, folder)?, "/hypercube")?;
    }
    Ok(disk)
}
