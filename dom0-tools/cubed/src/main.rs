//! The daemon's process: command line, lock, channel, store, loop.

use clap::Parser;
use cubed::channel::{AttachError, Channel, Lock};
use cubed::daemon::{Daemon, Settings};
use cubed::disks::open::{StoreChoice, open};
use cubed::domains::StateDir;
use cubed::options::Options;
use cubed::server::{Exit, Listener, Loop};
use cubed::{background, logging};
use std::process::ExitCode;
use std::time::Instant;

/// Exit status: another daemon runs.
const LOCKED: u8 = 3;
/// Exit status: there is no hypervisor, or it does not want us.
const NO_HYPERVISOR: u8 = 4;

fn main() -> ExitCode {
    let options = Options::parse();
    if options.daemon && !background::is_background() {
        return background::start();
    }
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if tracing::enabled!(tracing::Level::ERROR) {
                tracing::error!("{error}");
            } else {
                eprintln!("cubed: {error}");
            }
            match error.downcast_ref::<AttachError>() {
                Some(AttachError::Locked { .. }) => ExitCode::from(LOCKED),
                Some(_) => ExitCode::from(NO_HYPERVISOR),
                None => ExitCode::FAILURE,
            }
        }
    }
}

fn serve(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let _lock = Lock::take(&options.lock)?;
    if background::is_background() {
        background::detach();
    }
    let dir = StateDir::open(&options.state_dir)
        .map_err(|error| format!("{}: {error}; give another --state-dir", options.state_dir.display()))?;
    logging::start(options.log_level, &options.state_dir.join("log"), background::is_background());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), abi = abi::VERSION, "cubed begins");

    let choice =
        StoreChoice { path: options.store.clone(), size: options.store_size, in_memory: options.store_in_memory };
    let channel = Channel::attach(usize::try_from(options.buffers).unwrap_or(usize::MAX))?;
    let (disks, event) = open(&choice, &options.state_dir)?;
    let server = Loop::new(Listener::bind(&options.socket)?)?;
    let settings = Settings { dir, wake: server.waker() };
    let daemon = Daemon::new(channel, disks, settings, Instant::now())?;
    tracing::info!(socket = %options.socket.display(), "serving");
    if background::is_background() {
        background::serving();
    }
    match server.run(daemon, Some(event)) {
        Exit::Asked => {
            tracing::info!("cubed ends as asked; domains wait for the next one where they need it");
            Ok(())
        }
        other => Err(other.into()),
    }
}
