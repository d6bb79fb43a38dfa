//! dom0's shell on the user's terminal.

use super::{Plan, proxy::Proxy, terminal::Restored};
use crate::{
    machine::{self, Console, last_lines},
    options::Kind,
};
use anyhow::Result;
use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How often the machine's end is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Runs until the machine ends or the user leaves with Ctrl-A x. QEMU handles the terminal itself.
pub fn run(plan: &mut Plan) -> Result<ExitCode> {
    let terminal = Restored::new();
    let mut quit = Arc::new(AtomicBool::new(false));
    if plan.config.kind == Kind::Bochs {
        let proxy = Proxy::listen()?;
        plan.config.console = Console::Socket(proxy.port()?);
        terminal.make_raw();
        quit = proxy.start();
    }
    let mut machine = machine::start(&plan.config)?;
    let start = Instant::now();
    loop {
        if let Some(status) = machine.ended()? {
            // Bochs ends with 1 even when the machine was powered off.
            if status.success() || plan.config.kind == Kind::Bochs {
                return Ok(ExitCode::SUCCESS);
            }
            let said = last_lines(&plan.config.emulator_log(), 5);
            anyhow::bail!("the emulator ended with {status}: {said}");
        }
        if quit.load(Ordering::Relaxed) {
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(timeout) = plan.timeout.filter(|timeout| start.elapsed() >= *timeout) {
            drop((machine, terminal));
            return Ok(super::timed_out(timeout));
        }
        std::thread::sleep(LOOK);
    }
}
