//! From sources to a bootable base image.

mod bare_metal;
mod bases;
mod cargo;
mod tools;

pub use bare_metal::HYPERVISOR;
pub use bases::{Bases, bases};

use crate::{
    image,
    setup::{self, Flavour},
    tree::Tree,
};
use anyhow::Result;
use clap::Args;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

/// Options of whatever builds.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Do not build the hypervisor and the test guests
    #[arg(long)]
    pub no_hypervisor: bool,
    /// dom0 gets Debian's generic kernel instead of the cloud kernel
    #[arg(long)]
    pub generic_kernel: bool,
}

/// Programs by name.
pub type Programs = BTreeMap<String, PathBuf>;

/// What was built.
pub struct Built {
    /// The base disk image, to be copied for each run.
    pub disk: PathBuf,
    /// The hypervisor with its symbols, and the test guests.
    pub bare_metal: Programs,
    /// dom0's tools.
    pub tools: Programs,
}

/// Builds all that a machine boots.
pub fn everything(tree: &Tree, options: &Options) -> Result<Built> {
    let _lock = tree.lock()?;
    let flavour = if options.generic_kernel { Flavour::Generic } else { Flavour::Cloud };
    let ready = setup::ready(tree, flavour)?;
    let bare_metal = match options.no_hypervisor {
        true => Programs::new(),
        false => bare_metal::build(tree, ready.bare_target)?,
    };
    let tools = tools::build(tree)?;
    let disk = image::base(tree, &ready.kernel, &bare_metal, &tools)?;
    Ok(Built { disk, bare_metal, tools })
}

/// Builds and tells where everything is.
pub fn print(tree: &Tree, options: &Options) -> Result<ExitCode> {
    let built = everything(tree, options)?;
    for (name, path) in built.bare_metal.iter().chain(&built.tools) {
        println!("{name}: {}", path.display());
    }
    println!("image: {}", built.disk.display());
    Ok(ExitCode::SUCCESS)
}
