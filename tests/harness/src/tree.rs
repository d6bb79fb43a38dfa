//! Where things are: the sources, and the build folder with everything that is made from them.

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};
use std::{
    env, fs,
    path::{Path, PathBuf, absolute},
};

/// Set it to build somewhere else than in `build/` of the checkout.
const BUILD_VARIABLE: &str = "HYPERCUBE_BUILD";

/// The project's tree.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The checkout.
    pub root: PathBuf,
    /// Images, kernels, logs.
    pub build: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
}

impl Tree {
    /// Finds the tree that this program was built from.
    pub fn find() -> Result<Self> {
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root =
            manifest.ancestors().nth(2).context("the harness is not in tests/harness of the checkout")?.to_owned();
        let build = env::var_os(BUILD_VARIABLE).map_or_else(|| Ok(root.join("build")), absolute)?;
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        fs::create_dir_all(&build).with_context(|| format!("cannot create {}", build.display()))?;
        Ok(Self { root, build, target })
    }

    /// A folder below the build folder, created when missing.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        create(&self.build.join(name))
    }

    /// Keeps other harnesses out of set-up and builds until the lock is dropped.
    pub fn lock(&self) -> Result<fs::File> {
        let path = self.build.join(".lock");
        let file = fs::File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            eprintln!("waiting for another build in {} to end", self.build.display());
            flock(&file, FlockOperation::LockExclusive)?;
        }
        Ok(file)
    }
}

/// Creates a folder and gives its path.
pub fn create(path: &Path) -> Result<PathBuf> {
    fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path.to_owned())
}
