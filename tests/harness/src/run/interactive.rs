//! dom0's shell on the user's terminal.

use super::Plan;
use crate::machine;
use anyhow::Result;
use rustix::{
    stdio::stdin,
    termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr},
};
use std::{process::ExitCode, time::Instant};

/// Runs until the machine ends. QEMU itself handles the terminal: Ctrl-A x ends it, Ctrl-A h helps.
pub fn run(plan: &Plan) -> Result<ExitCode> {
    let _restored = Restored::new();
    let mut machine = machine::start(&plan.config)?;
    let deadline = plan.timeout.map(|timeout| Instant::now() + timeout);
    Ok(match machine.wait_until(deadline)? {
        Some(status) if status.success() => ExitCode::SUCCESS,
        Some(status) => {
            eprintln!(
                "the emulator ended with {status}: {}",
                machine::last_lines(&plan.config.emulator_log(), 5)
            );
            ExitCode::from(125)
        }
        None => ExitCode::from(124),
    })
}

/// Rows and columns of the terminal, if there is one.
pub fn terminal_size() -> Option<(u16, u16)> {
    tcgetwinsize(stdin())
        .ok()
        .map(|size| (size.ws_row, size.ws_col))
}

/// The terminal's settings, put back at the end.
struct Restored(Option<Termios>);

impl Restored {
    fn new() -> Self {
        Self(tcgetattr(stdin()).ok())
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        if let Some(settings) = &self.0 {
            // The terminal may be gone.
            let _ = tcsetattr(stdin(), OptionalActions::Now, settings);
        }
    }
}
