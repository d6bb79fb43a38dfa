//! The project's own files.

use crate::{command, suites::Verdict, tree::Tree};
use anyhow::{Context, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Paths below the root, and texts, of the project's files that `is_meant`. Binary files are passed over.
pub fn all(tree: &Tree, is_meant: impl Fn(&str) -> bool) -> Result<Vec<(String, String)>> {
    let mut paths = if is_checkout(tree) { tracked(tree)? } else { found(tree)? };
    paths.retain(|path| is_meant(path));
    ensure!(!paths.is_empty(), "there is no such file in {}", tree.root.display());
    let read = |path: String| fs::read_to_string(tree.root.join(&path)).ok().map(|text| (path, text));
    Ok(paths.into_iter().filter_map(read).collect())
}

fn is_checkout(tree: &Tree) -> bool {
    tree.root.join(".git").exists() && Command::new("git").arg("--version").output().is_ok()
}

/// In a checkout: what is under version control or could be.
fn tracked(tree: &Tree) -> Result<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard"]).current_dir(&tree.root);
    Ok(command::output(&mut git)?.lines().map(str::to_owned).collect())
}

/// Elsewhere, as in an unpacked archive, or without git: every file, but for git's own, logs, and what is built.
fn found(tree: &Tree) -> Result<Vec<String>> {
    let beside = [".git", "build", "target"].map(|name| tree.root.join(name));
    let left_out = [&[tree.build.clone(), tree.target.clone()][..], &beside].concat();
    let mut paths = Vec::new();
    walk(&tree.root, &left_out, &mut paths)?;
    let below = paths.iter().filter_map(|path| path.strip_prefix(&tree.root).ok());
    Ok(below.map(|path| path.to_string_lossy().into_owned()).filter(|path| !path.ends_with(".log")).collect())
}

fn walk(folder: &Path, left_out: &[PathBuf], paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if left_out.contains(&path) {
            continue;
        }
        if kind.is_dir() {
            walk(&path, left_out, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// Passed when there is nothing to complain of.
pub fn verdict(complaints: Vec<String>) -> Verdict {
    if complaints.is_empty() { Verdict::Passed } else { Verdict::Failed(complaints) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Git may know more (a file that is gone but not yet committed); it never knows less.
    #[test]
    fn the_walk_finds_what_git_knows() {
        let tree = Tree::find().unwrap();
        if is_checkout(&tree) {
            let found = found(&tree).unwrap();
            let there = |path: &String| tree.root.join(path).is_file();
            let missed: Vec<_> =
                tracked(&tree).unwrap().into_iter().filter(there).filter(|path| !found.contains(path)).collect();
            assert!(missed.is_empty(), "{missed:?}");
        }
    }
}
