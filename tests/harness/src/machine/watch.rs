//! Patterns in logs that end a run before the machine does, for machines that never reach dom0.

use crate::scenario::matches;
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// A log and the pattern to look for in it.
type Pattern<'a> = Option<(PathBuf, &'a str)>;

/// What to watch for; nothing by default.
#[derive(Debug, Default)]
pub struct Watch<'a> {
    /// In dom0's console.
    pub console: Pattern<'a>,
    /// In the hypervisor's log.
    pub hypervisor: Pattern<'a>,
}

impl Watch<'_> {
    /// Whether there is nothing to watch for.
    pub fn is_for_nothing(&self) -> bool {
        self.console.is_none() && self.hypervisor.is_none()
    }

    /// How often to look.
    pub fn period(&self) -> Duration {
        match (&self.console, &self.hypervisor) {
            (None, None) => Duration::MAX,
            _ => Duration::from_millis(200),
        }
    }

    /// Whether everything that is watched for has come.
    pub fn is_over(&self) -> Result<bool> {
        let mut patterns = [&self.console, &self.hypervisor].into_iter().flatten().peekable();
        if patterns.peek().is_none() {
            return Ok(false);
        }
        for (path, pattern) in patterns {
            if !has(path, pattern)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn has(path: &Path, pattern: &str) -> Result<bool> {
    let text = fs::read(path).unwrap_or_default();
    matches(pattern, &String::from_utf8_lossy(&text))
}
