//! dom0's programs: static, so that the initramfs needs no libraries.

use super::{Programs, cargo};
use crate::tree::Tree;
use anyhow::{Context, Result};
use std::process::Command;

/// Packages whose programs go into dom0.
const PACKAGES: [&str; 5] = ["init", "cube", "cubed", "workload", "abuse"];

/// Builds them.
pub fn build(tree: &Tree) -> Result<Programs> {
    let mut build = Command::new("cargo");
    build
        .args(["build", "--release", "--target", "x86_64-unknown-linux-gnu", "--target-dir"])
        .arg(tree.target.join("dom0"))
        .args(PACKAGES.map(|package| ["-p", package]).concat())
        .args(["--config", "profile.release.strip=true", "--config", "profile.release.debug=false"])
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(&tree.root);
    cargo::programs(&mut build, "dom0's tools").context("dom0's tools were not built")
}
