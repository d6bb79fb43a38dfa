//! `cube`: the command line of Hypercube.
//!
//! Talks to `cubed` over its Unix socket and to nothing else, but for `check` (reads the files
//! named) and `doctor` (looks into /sys as well). Depends on `protocol` for the conversation and on
//! `domain-builder` for reading domain files. Invariants: results go to standard output, errors to
//! standard error; with `--json` each result is one line of JSON with a `schema` number; the exit
//! status is one of [`protocol::Exit`].
#![forbid(unsafe_code)]

mod args;
mod client;
mod commands;
mod output;
mod table;
mod units;
mod usage;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => return usage::tell(&error, std::env::args_os().skip(1)).into(),
    };
    let mut out = output::Output::new(args.json);
    match commands::run(&args, &mut out) {
        Ok(exit) => exit.into(),
        Err(failure) => out.fail(&failure).into(),
    }
}
