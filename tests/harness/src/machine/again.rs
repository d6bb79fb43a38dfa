//! A second start for machines whose first one failed for QEMU's sake.
//!
//! Where QEMU runs CPUs beside each other, a kernel (under the hypervisor or not) was seen to stay for ever in a breakpoint that
//! it puts into its own code for a moment, and QEMU itself to crash (CAVEATS.md, "Emulators"). Nothing of the user's has run
//! then. Callers say that it happened: it hides what else may stand still so early.

use super::{Config, Ended, Limits, Outcome, Sink, Watch, drive, start};
use crate::options::Kind;
use anyhow::Result;
use std::{os::unix::process::ExitStatusExt, time::Duration};

/// QEMU's own end by an invalid access.
const SIGSEGV: i32 = 11;
/// How long dom0 may take to its first command, on the slowest of hosts.
const BEGIN: Duration = Duration::from_secs(300);

/// Starts the machine and drives it, a second time if need be; and why it was.
pub fn start_and_drive(
    config: &Config,
    sink: &mut dyn Sink,
    timeout: Duration,
    watch: &Watch<'_>,
) -> Result<(Outcome, Option<&'static str>)> {
    let limits = Limits { begin: BEGIN, end: timeout };
    let outcome = drive(&mut start(config)?, sink, limits, watch)?;
    let failure = qemus_failure(config, &outcome).filter(|_| watch.is_for_nothing());
    match failure {
        Some(_) => Ok((drive(&mut start(config)?, sink, limits, watch)?, failure)),
        None => Ok((outcome, None)),
    }
}

fn qemus_failure(config: &Config, outcome: &Outcome) -> Option<&'static str> {
    let beside_each_other = config.kind == Kind::Qemu && config.smp > 1 && !config.icount;
    match &outcome.ended {
        _ if !beside_each_other || outcome.ready_after.is_some() => None,
        Ended::TimedOut => Some("dom0 stood still"),
        Ended::Early(status) if status.signal() == Some(SIGSEGV) => Some("QEMU crashed"),
        _ => None,
    }
}
