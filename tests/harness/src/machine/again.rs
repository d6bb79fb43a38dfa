//! A second start for machines whose dom0 stood still in the first.
//!
//! Where QEMU runs CPUs beside each other, a kernel (under the hypervisor or not) was seen to stay for ever in a breakpoint that
//! it puts into its own code for a moment (CAVEATS.md, "Emulators"). Nothing of the user's has run then.
//! Callers say that it happened: it hides what else may stand still so early.

use super::{Config, Ended, Limits, Outcome, Sink, Watch, drive, start};
use crate::options::Kind;
use anyhow::Result;
use std::time::Duration;

/// How long dom0 may take to its first command, on the slowest of hosts.
const BEGIN: Duration = Duration::from_secs(300);

/// Starts the machine and drives it, a second time if need be; whether it was.
pub fn start_and_drive(
    config: &Config,
    sink: &mut dyn Sink,
    timeout: Duration,
    watch: &Watch<'_>,
) -> Result<(Outcome, bool)> {
    let limits = Limits { begin: BEGIN, end: timeout };
    let outcome = drive(&mut start(config)?, sink, limits, watch)?;
    if watch.is_for_nothing() && stood_still(config, &outcome) {
        return Ok((drive(&mut start(config)?, sink, limits, watch)?, true));
    }
    Ok((outcome, false))
}

fn stood_still(config: &Config, outcome: &Outcome) -> bool {
    let beside_each_other = config.kind == Kind::Qemu && config.smp > 1 && !config.icount;
    beside_each_other && matches!(outcome.ended, Ended::TimedOut) && outcome.ready_after.is_none()
}
