//! Emulated machines: what they are made of, how each emulator is told, and how one is driven.

mod again;
mod bochs;
mod child;
mod config;
mod disk;
mod drive;
mod folder;
mod monitor;
mod qemu;
mod sink;
mod tail;
mod watch;

pub use again::start_and_drive;
pub use child::Machine;
pub use config::{Config, Console};
pub use disk::Disk;
pub use drive::{Ended, Limits, Outcome, drive};
pub use folder::RunFolder;
pub use sink::{Kept, Sink};
pub use tail::last_lines;
pub use watch::Watch;

use crate::options::Kind;
use anyhow::Result;

/// Starts the machine.
pub fn start(config: &Config) -> Result<Machine> {
    match config.kind {
        Kind::Qemu => Machine::start(qemu::command(config)?, config),
        Kind::Bochs => Machine::start(bochs::command(config)?, config),
    }
}
