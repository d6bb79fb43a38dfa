//! The command line.

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::path::PathBuf;

/// Build, run and look at Hypercube domains.
#[derive(Debug, Parser)]
#[command(name = "cube", version, infer_subcommands = false, after_help = exit_help())]
pub struct Args {
    /// Print results as JSON, one object a line (see docs/cube.md)
    #[arg(long, global = true)]
    pub json: bool,

    /// The daemon's socket
    #[arg(long, global = true, env = "CUBE_SOCKET", value_name = "PATH", default_value = protocol::SOCKET)]
    pub socket: PathBuf,

    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// One domain.
#[derive(Debug, Group)]
pub struct Name {
    /// Name or identifier of the domain
    pub name: String,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check domain files without creating anything
    Check {
        /// Domain files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Do not look at the kernels, initrds and disks that they name
        #[arg(long)]
        no_files: bool,
    },
    /// Create a domain from its file and start it
    Create {
        /// Create it without starting it
        #[arg(long)]
        paused: bool,
        /// Domain file
        file: PathBuf,
    },
    /// Start a domain that was created paused
    Start(Name),
    /// Press a domain's power button and wait until it is gone
    Stop {
        #[command(flatten)]
        name: Name,
        /// Kill it if it has not ended in time
        #[arg(long)]
        force: bool,
        /// Seconds to wait
        #[arg(long, value_name = "SECONDS", default_value_t = 30)]
        timeout: u64,
    },
    /// End a domain at once
    Kill(Name),
    /// Stop a domain's vCPUs
    Pause(Name),
    /// Let a paused domain go on
    Resume(Name),
    /// Wait until a domain has ended
    Wait {
        #[command(flatten)]
        name: Name,
        /// Seconds to wait; without it for ever
        #[arg(long, value_name = "SECONDS")]
        timeout: Option<u64>,
    },
    /// List domains
    #[command(visible_alias = "ls")]
    List,
    /// Show everything about a domain
    Show(Name),
    /// Attach to a domain's console (Ctrl-] detaches)
    Console {
        #[command(flatten)]
        name: Name,
        /// Replay at most so many bytes of what was printed before
        #[arg(long, value_name = "BYTES")]
        replay: Option<u64>,
        /// Print what was printed before, and do not attach
        #[arg(long)]
        history: bool,
    },
    /// Show counters
    Stats {
        /// Name or identifier; without it all domains
        name: Option<String>,
        /// Again every so many seconds
        #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1")]
        watch: Option<u64>,
    },
    /// Show or change a domain's memory
    Mem {
        /// What about it
        #[command(subcommand)]
        command: Mem,
    },
    /// Show the swap store
    #[command(visible_alias = "swap")]
    Store,
    /// Show or switch a domain's reconciliation (R1, R2, R3)
    Reconcile {
        #[command(flatten)]
        name: Name,
        /// Block writes of swapped pages become references
        #[arg(long, value_name = "on|off")]
        r1: Option<Switch>,
        /// Clean pages are dropped without a write
        #[arg(long, value_name = "on|off")]
        r2: Option<Switch>,
        /// Block reads into swapped pages get fresh frames
        #[arg(long, value_name = "on|off")]
        r3: Option<Switch>,
    },
    /// Print the hypervisor's log
    Dmesg {
        /// Go on with what is new
        #[arg(long, short)]
        follow: bool,
    },
    /// Show the host
    #[command(visible_alias = "host")]
    Info,
    /// Look for what is wrong, and say what to do
    Doctor,
    /// Print the versions of cube, cubed and the hypervisor
    Version,
    /// End the daemon; domains stay
    ShutdownDaemon,
    /// Print a completion script
    Completions {
        /// For this shell
        shell: Shell,
    },
}

/// Memory of a domain.
#[derive(Debug, Subcommand)]
pub enum Mem {
    /// Set how much memory the domain may have resident
    Limit {
        #[command(flatten)]
        name: Name,
        /// As 256M or 1G
        #[arg(value_parser = domain_builder::config::parse_size)]
        size: u64,
    },
    /// Ask the guest to give memory up (0M gives all back)
    Balloon {
        #[command(flatten)]
        name: Name,
        /// As 256M or 1G
        #[arg(value_parser = domain_builder::config::parse_size)]
        size: u64,
    },
    /// Show where memory is
    Show {
        /// Name or identifier; without it all domains
        name: Option<String>,
    },
}

/// On or off.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Switch {
    /// On
    On,
    /// Off
    Off,
}

impl Switch {
    /// As a truth value.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

fn exit_help() -> String {
    let lines = protocol::Exit::ALL.iter().map(|exit| format!("\n  {:2}  {}", exit.status(), exit.text()));
    format!("Exit statuses:{}", lines.collect::<String>())
}
