//! clippy and rustfmt.

use crate::{
    setup,
    suites::{Context, Verdict, logged},
};
use anyhow::Result;
use std::process::Command;

/// Packages without an operating system; clippy looks at them for the host's target, where they
/// compile too, because not every toolchain has core for theirs.
const BARE_METAL: [&str; 4] = ["-p", "hypercube", "-p", "testguest"];

/// clippy, warnings being errors.
pub fn clippy(context: &Context<'_>) -> Result<Verdict> {
    if !is_there("clippy", context)? {
        return Ok(missing("clippy"));
    }
    let mut host = Command::new("cargo");
    let verdict = logged(
        host.args(["clippy", "--quiet", "--all-targets", "--", "-Dwarnings"]),
        context,
        "clippy complains of a host crate",
    )?;
    if verdict != Verdict::Passed {
        return Ok(verdict);
    }
    let mut bare = Command::new("cargo");
    bare.args(["clippy", "--quiet", "--profile", "kernel"]).args(BARE_METAL).args(["--", "-Dwarnings"]);
    logged(&mut bare, context, "clippy complains of a bare-metal crate")
}

/// rustfmt.
pub fn format(context: &Context<'_>) -> Result<Verdict> {
    if !is_there("fmt", context)? {
        return Ok(missing("rustfmt"));
    }
    let mut cargo = Command::new("cargo");
    logged(cargo.args(["fmt", "--all", "--", "--check", "-l"]), context, "these files are not formatted; run cargo fmt")
}

/// What is not checked is not right.
fn missing(component: &str) -> Verdict {
    Verdict::Failed(vec![format!("cargo has no {component} here; with rustup: rustup component add {component}")])
}

/// Whether cargo has the tool, which it is given first.
fn is_there(tool: &str, context: &Context<'_>) -> Result<bool> {
    let answers = || Command::new("cargo").args([tool, "--version"]).output().is_ok_and(|done| done.status.success());
    if !answers() {
        setup::linters(context.tree)?;
    }
    Ok(answers())
}
