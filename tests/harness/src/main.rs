//! The harness: turns the sources into a bootable machine and drives it.
//!
//! May depend on the host's tools (cargo, GRUB, QEMU, Bochs, mtools) and on what it shares with
//! dom0's init; never on the hypervisor's crates, which it tests from outside. Invariant: an
//! emulator never outlives the harness, and nothing outside the build folder is changed but
//! installed packages.
#![forbid(unsafe_code)]

mod bench;
mod build;
mod cli;
mod command;
mod demo;
mod disk_model;
mod image;
mod lab;
mod lint;
mod machine;
mod options;
mod run;
mod run_itself;
mod scenario;
mod setup;
mod size;
mod stamp;
mod suites;
mod tree;

use clap::Parser;
use std::process::ExitCode;

/// Exit status for the harness' own failures, as opposed to those of commands in dom0.
const OWN_FAILURE: u8 = 125;

fn main() -> ExitCode {
    match cli::dispatch(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(OWN_FAILURE)
        }
    }
}
