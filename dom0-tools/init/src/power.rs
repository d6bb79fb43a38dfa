//! The machine's end, by init itself or when busybox' `poweroff`, `reboot` and `halt` ask for it.

use rustix::system::{RebootCommand, reboot};
use signal_hook::{
    consts::{SIGTERM, SIGUSR1, SIGUSR2},
    iterator::Signals,
};
use std::{
    thread::{sleep, spawn},
    time::Duration,
};

/// Writes everything out and powers off through ACPI.
pub fn off() -> ! {
    end(RebootCommand::PowerOff)
}

/// Obeys the signals by which busybox' commands speak to process 1.
pub fn obey_signals() {
    match Signals::new([SIGTERM, SIGUSR1, SIGUSR2]) {
        Ok(mut signals) => {
            spawn(move || match signals.forever().next() {
                Some(SIGTERM) => end(RebootCommand::Restart),
                _ => end(RebootCommand::PowerOff),
            });
        }
        Err(error) => crate::say(&format!("poweroff and reboot will not work: {error}")),
    }
}

fn end(how: RebootCommand) -> ! {
    rustix::fs::sync();
    if let Err(error) = reboot(how) {
        crate::say(&format!("the machine did not end: {error}"));
    }
    loop {
        sleep(Duration::from_secs(3600));
    }
}
