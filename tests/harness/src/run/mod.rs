//! `run`: builds what changed, boots a machine, and gives the user a shell or their commands' results.

mod escape;
mod execute;
mod interactive;
mod plan;
mod proxy;
mod terminal;

pub use plan::{Plan, build_options};

use crate::{
    build,
    machine::{Console, RunFolder},
    options::RunOptions,
    tree::Tree,
};
use anyhow::Result;
use std::{process::ExitCode, time::Duration};

/// Exit status when time ran out, as of timeout(1).
const TIMED_OUT: u8 = 124;

/// Says that time ran out.
fn timed_out(timeout: Duration) -> ExitCode {
    eprintln!("error: time ran out after {} s", timeout.as_secs());
    ExitCode::from(TIMED_OUT)
}

/// Runs it.
pub fn run(tree: &Tree, options: &RunOptions) -> Result<ExitCode> {
    let build = plan::build_options(options);
    let built = build::everything(tree, &build)?;
    let folder = RunFolder::new(tree, options.more.keep)?;
    let console = if options.exec.is_some() { Console::File } else { Console::Terminal };
    let mut plan = Plan::new(options, &built.disk, folder.path(), console)?;
    match plan.request.commands {
        Some(_) => execute::run(&plan),
        None => interactive::run(&mut plan),
    }
}
