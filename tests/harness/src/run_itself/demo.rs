//! The demo, from beginning to end.

use super::limited;
use crate::suites::{Context, Verdict};
use anyhow::Result;
use std::{fs, process::Stdio};

/// Seconds for each of its guests: they page twice while they fill their memory.
const SECONDS: &str = "5";
/// What must have been said: a row of the table, and what it comes to.
const SAID: [&str; 2] = ["swap-ins for guest writes", "only to have it written elsewhere"];
/// What must be left.
const FILES: [&str; 2] = ["demo.json", "demo.svg"];

/// Runs it.
pub fn check(context: &Context<'_>) -> Result<Verdict> {
    let mut demo = limited(context.tree.root.join("scripts/demo"));
    demo.args(["--seconds", SECONDS, "--output", "results"]);
    let done = demo.current_dir(&context.folder).stdin(Stdio::null()).output()?;
    fs::write(context.folder.join("stdout"), &done.stdout)?;
    fs::write(context.folder.join("stderr"), &done.stderr)?;
    let text = String::from_utf8_lossy(&done.stdout);
    let mut wrong = Vec::new();
    if !done.status.success() {
        wrong.push(format!("the demo ended with {}", done.status));
    }
    wrong.extend(SAID.iter().filter(|said| !text.contains(**said)).map(|said| format!("it did not say: {said}")));
    let missing = FILES
        .iter()
        .filter(|file| !fs::metadata(context.folder.join("results").join(file)).is_ok_and(|data| data.len() > 0));
    wrong.extend(missing.map(|file| format!("it left no {file}")));
    Ok(if wrong.is_empty() { Verdict::Passed } else { Verdict::Failed(wrong) })
}
