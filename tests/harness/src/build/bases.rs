//! Base images for several cases, each built once.

use super::{Options, everything};
use crate::tree::Tree;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Images by what was asked for.
pub struct Bases(Vec<(Options, PathBuf)>);

/// Builds what is asked for.
pub fn bases(tree: &Tree, wanted: impl Iterator<Item = Options>) -> Result<Bases> {
    let mut all: Vec<(Options, PathBuf)> = Vec::new();
    for options in wanted {
        if !all.iter().any(|(known, _)| *known == options) {
            let disk = everything(tree, &options)?.disk;
            all.push((options, disk));
        }
    }
    Ok(Bases(all))
}

impl Bases {
    /// The image for what was asked for.
    pub fn get(&self, wanted: Option<&Options>) -> Result<&Path> {
        let found = self.0.iter().find(|(options, _)| Some(options) == wanted);
        found.map(|(_, path)| path.as_path()).context("no base image was asked for")
    }
}
