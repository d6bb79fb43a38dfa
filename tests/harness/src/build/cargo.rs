//! cargo as a builder of programs whose places it tells itself.

use super::Programs;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
    sync::mpsc::{RecvTimeoutError, channel},
    thread,
    time::Duration,
};

/// A line of cargo's JSON output, as far as it matters.
#[derive(Deserialize)]
struct Message {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// How long a build may be silent.
const SILENCE: Duration = Duration::from_secs(2);

/// Runs a `cargo build` and collects the programs that it made; the compiler's messages go to the
/// user, and so does `what` is being built if it takes a while.
pub fn programs(cargo: &mut Command, what: &'static str) -> Result<Programs> {
    let (done, silence) = channel::<()>();
    thread::spawn(move || {
        if silence.recv_timeout(SILENCE) == Err(RecvTimeoutError::Timeout) {
            eprintln!("building {what}");
        }
    });
    let result = run(cargo);
    drop(done);
    result
}

fn run(cargo: &mut Command) -> Result<Programs> {
    let done = cargo
        .args(["-q", "--message-format=json-render-diagnostics"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo; install Rust from rustup.rs or Debian's cargo-web")?;
    if !done.status.success() {
        bail!("the build failed, see above ({cargo:?})");
    }
    let text = String::from_utf8_lossy(&done.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Message>(line).ok());
    Ok(messages.filter_map(|message| Some((message.target?.name, message.executable?))).collect())
}
