//! The initramfs of stock Linux guests: busybox, virtio drivers, the power button and a script.

use super::{modules, rootfs};
use crate::{build::Programs, setup::Kernel, tree::Tree};
use anyhow::{Context, Result};
use std::fs;

/// The guest's first program, in the checkout.
pub const INIT: &str = "dom0-tools/init/guest/init.sh";

/// The program that cycles through memory, for the demo and the benchmark.
const WORKLOAD: &str = "workload";

const MODULES: modules::Wanted<'static> = modules::Wanted {
    load: &["virtio_mmio", "virtio_blk", "virtio_console", "virtio_rng", "virtio_balloon", "ext4", "button", "evdev"],
    present: &["loop", "virtio_pci", "virtio_net"],
};

/// What busybox' acpid runs when the power button was pressed.
const POWER_BUTTON: (&str, &str) = ("etc/acpi/PWRF/00000080", "#!/bin/sh\nsync\npoweroff -f\n");

/// Makes the archive.
pub fn initramfs(tree: &Tree, kernel: &Kernel, tools: &Programs) -> Result<Vec<u8>> {
    let mut root = rootfs::minimal()?;
    modules::add(&mut root, kernel, &MODULES)?;
    let init = tree.root.join(INIT);
    root.file("init", 0o755, fs::read(&init).with_context(|| init.display().to_string())?);
    root.file(POWER_BUTTON.0, 0o755, POWER_BUTTON.1.into());
    if let Some(workload) = tools.get(WORKLOAD) {
        root.file(&format!("usr/bin/{WORKLOAD}"), 0o755, fs::read(workload)?);
    }
    root.finish()
}
