//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// The daemon in dom0 that builds domains and serves their disks, consoles and swap.
#[derive(Debug, Clone, Parser)]
#[command(name = "cubed", version, about, disable_help_subcommand = true)]
pub struct Options {
    /// Socket that clients connect to.
    #[arg(long, value_name = "PATH", default_value = protocol::SOCKET)]
    pub socket: PathBuf,

    /// Directory for what a restarted cubed takes up: must live exactly as long as this boot (a tmpfs).
    #[arg(long, value_name = "DIR", default_value = "/run/cubed")]
    pub state_dir: PathBuf,

    /// Lock file that keeps a second cubed away.
    #[arg(long, value_name = "PATH", default_value = "/run/cubed.lock")]
    pub lock: PathBuf,

    /// Swap store: a file (made if it is missing) or a block device, used wholly. Without it no memory can be swapped.
    #[arg(long, value_name = "PATH")]
    pub store: Option<PathBuf>,

    /// Size of a store file that is made, such as 4G.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    pub store_size: u64,

    /// Allow a store in memory (tmpfs, ramfs): it saves no memory, for trials only.
    #[arg(long)]
    pub store_in_memory: bool,

    /// Buffers for I/O, in dom0's huge pages; less if there are fewer.
    #[arg(long, value_name = "SIZE", default_value = "32M", value_parser = size)]
    pub buffers: u64,

    /// What is logged to standard error and STATE_DIR/log: error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: tracing::Level,

    /// Go into the background and return when clients can connect.
    #[arg(long, conflicts_with = "foreground")]
    pub daemon: bool,

    /// Stay in the foreground (the default).
    #[arg(long)]
    pub foreground: bool,
}

fn size(text: &str) -> Result<u64, String> {
    domain_builder::config::parse_size(text).map_err(|error| error.to_string())
}
