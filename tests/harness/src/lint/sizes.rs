//! A file holds one idea.

use super::files;
use crate::suites::{Context, Verdict};
use anyhow::Result;

/// More lines than this are more than one idea.
const MOST: usize = 400;

/// Looks at every source file.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let sources = files::all(context.tree, &["*.rs", "*.ld", "*.sh", "scripts/*"])?;
    let long = sources.iter().map(|(path, text)| (path, text.lines().count())).filter(|(_, count)| *count > MOST);
    Ok(files::verdict(long.map(|(path, count)| format!("{path}: {count} lines")).collect()))
}
