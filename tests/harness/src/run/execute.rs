//! Commands in dom0, as if they ran here.

use super::Plan;
use crate::machine::{self, Config, Ended, Limits, Outcome, Sink, Watch, drive, last_lines};
use anyhow::{Result, bail};
use std::{
    io::{Write, stderr, stdout},
    process::ExitCode,
    time::Duration,
};

/// Nobody waits longer.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);
/// How much of the logs is shown when a run fails.
const LINES: usize = 25;

/// Runs the plan's commands; their exit status becomes ours.
pub fn run(plan: &Plan) -> Result<ExitCode> {
    let mut machine = machine::start(&plan.config)?;
    let timeout = plan.timeout.unwrap_or(FOREVER);
    let outcome = drive(&mut machine, &mut Through, Limits { begin: timeout, end: timeout }, &Watch::default())?;
    drop(machine);
    if let Some(after) = outcome.ready_after.filter(|_| plan.timings) {
        eprintln!("commands started after {:.2} s", after.as_secs_f64());
    }
    report(&plan.config, &outcome, timeout)
}

/// To our own output. A reader who went away (a closed pipe) does not stop the machine.
struct Through;

impl Sink for Through {
    fn stdout(&mut self, bytes: &[u8]) {
        let _ = stdout().write_all(bytes).and_then(|()| stdout().flush());
    }

    fn stderr(&mut self, bytes: &[u8]) {
        let _ = stderr().write_all(bytes);
    }
}

fn report(config: &Config, outcome: &Outcome, timeout: Duration) -> Result<ExitCode> {
    match (&outcome.ended, outcome.status) {
        (Ended::TimedOut, _) => {
            show_logs(config);
            Ok(super::timed_out(timeout))
        }
        (ended, Some(status)) => {
            if matches!(ended, Ended::StayedOn) {
                eprintln!("warning: the machine did not power off after the commands");
            }
            Ok(ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX)))
        }
        (ended, None) => {
            show_logs(config);
            bail!("the machine {ended} before the commands had ended")
        }
    }
}

fn show_logs(config: &Config) {
    let logs = [
        ("dom0's console", config.console_log()),
        ("the hypervisor's log", config.hypervisor_log.clone()),
        ("the emulator", config.emulator_log()),
    ];
    for (name, path) in logs {
        let lines = last_lines(&path, LINES);
        if !lines.is_empty() {
            eprintln!("--- last lines of {name} ---\n{lines}");
        }
    }
}
