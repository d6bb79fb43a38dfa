//! What must not be left in the tree: unfinished code, and paths that exist on one machine only.

use super::files;
use crate::suites::{Context, Verdict};
use anyhow::Result;
use regex::Regex;

/// Written so that they do not match themselves.
const MARKS: [(&str, &str); 3] = [
    (r"\b(todo|unimplemented|dbg)[!]\(", "unfinished code"),
    (r"\b(FIXM[E]|XX[X])\b", "an unfinished mark"),
    (r"(^|[^A-Za-z0-9_.])/(wor[k]|hom[e]/[a-z]+|User[s]/[a-z]+)/|/tmp/[t]arget", "a path of one machine"),
];

/// Looks at every text file.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let marks: Vec<_> = MARKS.iter().map(|(pattern, what)| Ok((Regex::new(pattern)?, what))).collect::<Result<_>>()?;
    let mut complaints = Vec::new();
    for (path, text) in files::all(context.tree, |_| true)? {
        for (number, line) in (1..).zip(text.lines()) {
            let found = marks.iter().filter(|(pattern, _)| pattern.is_match(line));
            complaints.extend(found.map(|(_, what)| format!("{path}:{number}: {what}")));
        }
    }
    Ok(files::verdict(complaints))
}
