//! Everything that must be on the host before anything can be built: done once, said aloud.

mod bare_target;
mod kernel;
mod packages;

pub use bare_target::BareTarget;
pub use kernel::{Flavour, Kernel, fetch as installed_kernel};

use crate::tree::Tree;
use anyhow::Result;

/// What set-up provides.
pub struct Ready {
    /// How bare-metal packages are compiled.
    pub bare_target: BareTarget,
    /// Debian's kernel for dom0 and guests.
    pub kernel: Kernel,
}

/// Does what is missing.
pub fn run(tree: &Tree) -> Result<Ready> {
    let _lock = tree.lock()?;
    ready(tree, Flavour::Cloud)
}

/// clippy and rustfmt.
pub fn linters(tree: &Tree) -> Result<()> {
    let _lock = tree.lock()?;
    if bare_target::has_rustup() {
        bare_target::rustup(&["component", "add", "clippy", "rustfmt"]);
        return Ok(());
    }
    packages::install(tree, packages::LINTERS)
}

/// As [`run`], for a caller that holds the lock and may want another kernel.
pub fn ready(tree: &Tree, flavour: Flavour) -> Result<Ready> {
    packages::install(tree, packages::ALWAYS)?;
    let bare_target = BareTarget::choose(tree)?;
    let kernel = kernel::fetch(tree, flavour)?;
    Ok(Ready { bare_target, kernel })
}
