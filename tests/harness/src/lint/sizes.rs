//! A file holds one idea.

use super::files;
use crate::suites::{Context, Verdict};
use anyhow::Result;

/// More lines than this are more than one idea.
const MOST: usize = 400;

/// Looks at every source file.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let is_source =
        |path: &str| path.starts_with("scripts/") || [".rs", ".ld", ".sh"].iter().any(|end| path.ends_with(end));
    let sources = files::all(context.tree, is_source)?;
    let long = sources.iter().map(|(path, text)| (path, text.lines().count())).filter(|(_, count)| *count > MOST);
    Ok(files::verdict(long.map(|(path, count)| format!("{path}: {count} lines")).collect()))
}
