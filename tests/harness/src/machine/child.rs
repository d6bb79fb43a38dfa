//! A running emulator, which never outlives the harness.

use super::{Config, Console, monitor};
use crate::options::Kind;
use anyhow::{Context, Result};
use std::{
    fs::File,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

/// How often the end of an emulator that was told to end is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// The emulator's process; dropping it ends it.
pub struct Machine {
    child: Child,
    frames: Option<ChildStdout>,
    config: Config,
}

impl Machine {
    /// Starts an emulator. The kernel kills it when the harness dies, however it dies.
    pub fn start(emulator: Command, config: &Config) -> Result<Self> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(emulator.get_program()).args(emulator.get_args());
        let log = File::create(config.emulator_log())?;
        command.current_dir(&config.folder).stderr(log);
        // QEMU has the terminal itself; Bochs' terminal is a socket of ours.
        match (config.console.clone(), config.kind) {
            (Console::Terminal, Kind::Qemu) => command.stdin(Stdio::inherit()).stdout(Stdio::inherit()),
            _ => command.stdin(Stdio::null()).stdout(Stdio::piped()),
        };
        let mut child = command.spawn().context("cannot run setpriv (package util-linux)")?;
        let frames = child.stdout.take();
        Ok(Self { child, frames, config: config.clone() })
    }

    /// The emulator's standard output, which carries the debug port's bytes. Given once.
    pub fn take_frames(&mut self) -> Option<ChildStdout> {
        self.frames.take()
    }

    /// Keeps what the CPUs are doing, where the emulator tells, in the run's folder.
    pub fn record_state(&self) {
        if self.config.kind == Kind::Qemu
            && let Err(error) = monitor::record(&self.config)
        {
            eprintln!("warning: QEMU's monitor does not answer: {error}");
        }
    }

    /// The emulator's exit status, if it has ended.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Waits for the end, at most until `deadline`.
    pub fn wait_until(&mut self, deadline: Option<Instant>) -> Result<Option<ExitStatus>> {
        let Some(deadline) = deadline else {
            return Ok(Some(self.child.wait()?));
        };
        loop {
            if let Some(status) = self.ended()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            sleep(LOOK);
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Failing means that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
