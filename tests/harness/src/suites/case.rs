//! One test case.

use crate::{
    build::{self, Bases},
    options::Kind,
    tree::Tree,
};
use anyhow::Result;
use std::path::{Path, PathBuf};

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Passed,
    /// What is wrong, a sentence each.
    Failed(Vec<String>),
    /// Why it could not be run.
    Skipped(String),
}

/// What a case may use.
pub struct Context<'a> {
    /// The project's tree.
    pub tree: &'a Tree,
    /// The case's folder for logs; empty at its start.
    pub folder: PathBuf,
    /// The base images that were asked for.
    pub bases: &'a Bases,
    /// What this case asked for.
    pub build: Option<build::Options>,
}

impl Context<'_> {
    /// The base image that the case asked for.
    pub fn base(&self) -> Result<&Path> {
        self.bases.get(self.build.as_ref())
    }
}

/// Does the case's work.
pub type Runner = Box<dyn Fn(&Context<'_>) -> Result<Verdict> + Send>;

/// A case.
pub struct Case {
    /// Unique.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Suites that it belongs to.
    pub tags: Vec<String>,
    /// Why not to run it.
    pub skip: Option<String>,
    /// The emulator that it needs.
    pub machine: Option<Kind>,
    /// How many of the host's CPUs it keeps busy.
    pub cpus: u32,
    /// Seconds that it may take; 0 where nothing stops it.
    pub limit: u64,
    /// The base image that it boots.
    pub build: Option<build::Options>,
    /// Its work.
    pub run: Runner,
}

impl Case {
    /// Whether it belongs to a suite.
    pub fn is_tagged(&self, suite: &str) -> bool {
        self.tags.iter().any(|tag| tag == suite)
    }
}
