//! A run's own folder below `build/run`, removed at its end.

use crate::tree::{self, Tree};
use anyhow::Result;
use rustix::process::{Pid, test_kill_process};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// Runs of this process so far.
static RUNS: AtomicU32 = AtomicU32::new(0);

/// Marks a folder that its user wanted to keep.
const KEPT: &str = ".kept";

/// The folder.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    keep: bool,
}

impl RunFolder {
    /// Makes one, and clears away those of harnesses that were killed.
    pub fn new(tree: &Tree, keep: bool) -> Result<Self> {
        let all = tree.folder("run")?;
        remove_abandoned(&all)?;
        let number = RUNS.fetch_add(1, Ordering::Relaxed);
        let path = tree::create(&all.join(format!("{}-{number}", std::process::id())))?;
        Ok(Self { path, keep })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if self.keep {
            // Without the mark the next run would clear it away.
            let _ = fs::write(self.path.join(KEPT), "");
            eprintln!("kept: {}", self.path.display());
        } else if let Err(error) = fs::remove_dir_all(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}

fn remove_abandoned(all: &Path) -> Result<()> {
    for entry in fs::read_dir(all)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = name.split('-').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        if owner.is_none_or(|pid| test_kill_process(pid).is_err()) && !entry.path().join(KEPT).exists() {
            // Another harness may be doing the same.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}
