//! The daemon's directory in dom0's tmpfs: what the next daemon takes up.
//!
//! Each file is replaced whole by a rename, so a reader sees the old or the new text, never a part.

use super::{End, Record};
use serde::{Serialize, de::DeserializeOwned};
use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// The directory, usually `/run/cubed`.
#[derive(Debug, Clone)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// Opens the directory, makes it where it is missing.
    ///
    /// # Errors
    /// As the file system tells.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        for folder in ["domains", "console"] {
            fs::create_dir_all(root.join(folder))?;
        }
        Ok(Self { root })
    }

    /// Where the console of a domain of this name is logged.
    #[must_use]
    pub fn console(&self, name: &str) -> PathBuf {
        self.root.join("console").join(name)
    }

    /// Writes a domain down.
    ///
    /// # Errors
    /// As the file system tells.
    pub fn save(&self, record: &Record) -> Result<()> {
        replace(&self.record(record.id), record)
    }

    /// Forgets a domain. One that is not there is forgotten already.
    pub fn remove(&self, id: u32) {
        if let Err(error) = fs::remove_file(self.record(id))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(domain = id, %error, "its record could not be removed");
        }
    }

    /// All domains that are written down. A file that cannot be read is reported and left out.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(self.root.join("domains"))? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match load(&path) {
                Ok(record) => records.push(record),
                Err(error) => tracing::error!(path = %path.display(), %error, "a domain's record cannot be read"),
            }
        }
        Ok(records)
    }

    /// Writes down how the last domains ended.
    ///
    /// # Errors
    /// As the file system tells.
    pub fn save_ends(&self, ends: &[&End]) -> Result<()> {
        replace(&self.root.join("ended.json"), &ends)
    }

    /// How the last domains ended; nothing if nothing was written down.
    #[must_use]
    pub fn ends(&self) -> Vec<End> {
        load(&self.root.join("ended.json")).unwrap_or_default()
    }

    fn record(&self, id: u32) -> PathBuf {
        self.root.join("domains").join(format!("{id}.json"))
    }
}

fn replace(path: &Path, value: &impl Serialize) -> Result<()> {
    let fresh = path.with_extension("new");
    fs::write(&fresh, serde_json::to_vec(value)?)?;
    fs::rename(&fresh, path)
}

fn load<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_slice(&fs::read(path)?).map_err(Error::from)
}
