//! The project's own files.

use crate::{command, suites::Verdict, tree::Tree};
use anyhow::Result;
use std::{fs, process::Command};

/// Paths and texts of the files that are under version control or could be, and match one of
/// git's path `patterns`. Binary files are passed over.
pub fn all(tree: &Tree, patterns: &[&str]) -> Result<Vec<(String, String)>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "--"]).args(patterns).current_dir(&tree.root);
    let list = command::output(&mut git)?;
    let read = |path: &str| Some((path.to_owned(), fs::read_to_string(tree.root.join(path)).ok()?));
    Ok(list.lines().filter_map(read).collect())
}

/// Passed when there is nothing to complain of.
pub fn verdict(complaints: Vec<String>) -> Verdict {
    if complaints.is_empty() { Verdict::Passed } else { Verdict::Failed(complaints) }
}
