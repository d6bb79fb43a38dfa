//! A hostile daemon: takes the service channel in place of `cubed` and sends commands that no
//! sound daemon would send, as fast as it can.
//!
//! The hypervisor must answer each, go on, reach no memory that dom0 does not own, and have all its
//! frames back when the domains made on the way are destroyed. Depends on `cubed`'s channel, so
//! that it speaks the real rings.
#![forbid(unsafe_code)]

mod attach;
mod buffers;
mod campaign;
mod commands;
mod live;
mod refusals;
mod silent;
mod tally;

use clap::Parser;
use std::process::ExitCode;
use std::time::Duration;

/// The command line.
#[derive(Parser)]
#[command(about = "Sends hostile commands to the hypervisor in place of cubed, which must not run")]
struct Options {
    /// How long
    #[arg(default_value_t = 10)]
    seconds: u64,
    /// Takes the live requests of a guest that is there, and tries what lies outside of them
    #[arg(long)]
    live: bool,
    /// Tries attaches that must be refused, while nobody is attached and while it is itself
    #[arg(long, conflicts_with = "live")]
    attach: bool,
    /// Serves nobody for that long: no guest may grow beyond its limit
    #[arg(long, conflicts_with_all = ["live", "attach"])]
    silent: bool,
    /// Makes the same choices again
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let time = Duration::from_secs(options.seconds);
    let came = match &options {
        Options { attach: true, .. } => attach::run(),
        Options { live: true, .. } => live::run(),
        Options { silent: true, .. } => silent::run(time),
        _ => campaign::run(time, seed),
    };
    match came {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            println!("abuse: {complaint} (--seed {seed})");
            ExitCode::FAILURE
        }
    }
}
