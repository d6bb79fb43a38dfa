//! `--daemon`: the process starts itself again in a session of its own and returns when that one serves.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};

/// Set in the background process: its standard output is a pipe to the one that waits.
const MARK: &str = "CUBED_BACKGROUND";
/// What the background process says when it serves.
const READY: &str = "ready";

/// True in the background process.
#[must_use]
pub fn is_background() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts the background process; returns its fate: success when it serves, else its own status.
#[must_use]
pub fn start() -> ExitCode {
    match spawn() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cubed: the background process cannot be started: {error}");
            ExitCode::FAILURE
        }
    }
}

fn spawn() -> std::io::Result<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    if line.trim() == READY {
        return Ok(ExitCode::SUCCESS);
    }
    let status = child.wait()?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(status.max(1)))
}

/// In the background process: leaves the terminal's session.
pub fn detach() {
    // Fails only for a process that leads a group; then the terminal may signal us, no more.
    if let Err(error) = rustix::process::setsid() {
        tracing::debug!(%error, "no session of our own");
    }
}

/// In the background process: tells the one that waits that clients can connect.
pub fn serving() {
    // Nobody may be waiting any more.
    let _ = writeln!(std::io::stdout(), "{READY}");
    let _ = std::io::stdout().flush();
    let Ok(null) = std::fs::File::options().read(true).write(true).open("/dev/null") else { return };
    // Whoever reads our output until its end must not wait for ours; a log file stays open.
    let _ = rustix::stdio::dup2_stdout(&null);
    let file = rustix::fs::fstat(rustix::stdio::stderr())
        .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile);
    if !file {
        let _ = rustix::stdio::dup2_stderr(&null);
    }
}
