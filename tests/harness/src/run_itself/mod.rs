//! `./scripts/run` and `./scripts/demo` called as their users call them, from a shell, with their expectations: the
//! scenarios use what is inside of `run` only.

mod calls;
mod demo;
mod shell;

use crate::{
    build,
    options::Kind,
    suites::{Case, Runner},
};
use std::{ffi::OsStr, process::Command};

/// Seconds that one call may take, most of them for a machine or two to start on a busy host.
const LIMIT: u64 = 480;

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = calls::CALLS
        .iter()
        .map(|call| case(call.name, call.about, Box::new(|context| calls::check(call, context))))
        .collect();
    cases.push(case("shell", "a shell in dom0 on the user's terminal", Box::new(shell::check)));
    cases.push(case("demo", "the demo, shortened: a table, numbers and a picture", Box::new(demo::check)));
    cases
}

fn case(name: &str, about: &str, run: Runner) -> Case {
    Case {
        name: format!("run-itself/{name}"),
        about: about.to_owned(),
        tags: vec!["harness".to_owned(), "qemu".to_owned()],
        skip: None,
        machine: Some(Kind::Qemu),
        cpus: 1,
        limit: LIMIT,
        // Built before, so that the call itself only looks.
        build: Some(build::Options::default()),
        run,
    }
}

/// A program that is ended when it takes too long, with all that it has started.
fn limited(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after", "10", &LIMIT.to_string()]).arg(program);
    command
}
