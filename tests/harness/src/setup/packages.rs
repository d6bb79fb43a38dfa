//! Debian packages.

use crate::{command, stamp, tree::Tree};
use anyhow::{Context, Result, bail};
use std::{fs, process::Command};

/// What building and running needs, whatever the toolchain.
pub const ALWAYS: &[&str] = &[
    "acpica-tools",
    "bochs",
    "bochsbios",
    "busybox-static",
    "ca-certificates",
    "dosfstools",
    "e2fsprogs",
    "gcc",
    "git",
    "grub-common",
    "grub-efi-amd64-bin",
    "grub-pc-bin",
    "binutils",
    "libc6-dev",
    "lld",
    "mtools",
    "ovmf",
    "qemu-system-x86",
    "util-linux",
    "vgabios",
];
/// What builds for bare metal where rustup cannot: Debian's own recent Rust, with its sources.
pub const BARE_RUST: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld"];

/// What checks the sources beside Debian's Rust; rustup has its own, and Debian's `rustup` excludes these.
pub const LINTERS: &[&str] = &["rust-web-clippy", "rustfmt-web"];

/// Installs those of `names` that are missing.
pub fn install(tree: &Tree, names: &[&str]) -> Result<()> {
    let wanted = names.join(" ");
    let stamp = tree.folder("setup")?.join(format!("packages-{}", names.len()));
    if stamp::says(&stamp, &wanted) {
        return Ok(());
    }
    let missing = missing(names)?;
    if !missing.is_empty() {
        eprintln!("installing Debian packages: {}", missing.join(" "));
        apt(&["update", "-qq"])?;
        apt(&[&["install", "-y", "-qq", "--no-install-recommends"][..], &missing].concat())?;
    }
    fs::write(stamp, wanted)?;
    Ok(())
}

fn missing<'a>(names: &[&'a str]) -> Result<Vec<&'a str>> {
    // dpkg-query fails when it does not know one of the names; what it prints is still right.
    let known =
        Command::new("dpkg-query").args(["-W", "-f=${Status} ${Package}\n"]).args(names).output().context(
            "dpkg-query is missing: this set-up knows Debian 12 only; elsewhere install the packages by hand",
        )?;
    let known = String::from_utf8_lossy(&known.stdout).into_owned();
    let is_there = |name: &&str| known.lines().any(|line| line == format!("install ok installed {name}"));
    Ok(names.iter().filter(|name| !is_there(name)).copied().collect())
}

fn apt(arguments: &[&str]) -> Result<()> {
    let root = rustix::process::geteuid().is_root();
    let mut apt = if root { Command::new("apt-get") } else { Command::new("sudo") };
    if !root {
        apt.arg("apt-get");
    }
    let done = command::visibly(apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"));
    if done.is_err() {
        bail!("apt-get {} failed; install the packages by hand and run this again", arguments.join(" "));
    }
    Ok(())
}
