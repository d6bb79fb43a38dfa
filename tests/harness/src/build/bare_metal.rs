//! The packages that run without an operating system.

use super::{Programs, cargo};
use crate::{setup::BareTarget, tree::Tree};
use anyhow::{Context, Result};

/// The hypervisor's package and program.
pub const HYPERVISOR: &str = "hypercube";
/// The package of the small kernels that tests boot as guests.
const TEST_GUESTS: &str = "testguest";

/// Builds them.
pub fn build(tree: &Tree, target: BareTarget) -> Result<Programs> {
    let mut build = target.cargo("build");
    build.args(["-p", HYPERVISOR, "-p", TEST_GUESTS, "--profile", "kernel", "--target-dir"]);
    build.arg(tree.target.join("bare-metal")).current_dir(&tree.root);
    cargo::programs(&mut build, "the hypervisor and the test guests").context("the hypervisor was not built")
}
