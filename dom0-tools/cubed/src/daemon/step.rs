//! One turn of the loop.

use super::Daemon;
use crate::channel::Hypervisor;
use std::time::Instant;

/// Rounds of events and answers in one step, so that clients get their turn.
const ROUNDS: u32 = 32;
/// Events taken in one round, so that results are reported in time.
const EVENTS: u32 = 256;

impl<H: Hypervisor> Daemon<H> {
    /// Does everything that can be done now. True if the next step should follow at once.
    pub fn step(&mut self, now: Instant) -> bool {
        self.set_now(now);
        self.disks.set_time(now);
        let quiet = self.converse();
        self.serve_deferred();
        self.pump();
        self.create();
        self.tear_down();
        self.time_out();
        self.consoles.log();
        self.note_lines();
        let quiet = quiet && !self.disks_work();
        self.note_resolved();
        self.lost.is_none() && (!quiet || self.busy())
    }

    /// Events and answers in turn until nothing is left, or the turn is over (false).
    fn converse(&mut self) -> bool {
        for _ in 0..ROUNDS {
            let worked = self.disks_work();
            let (taken, drained) = self.take_events();
            if drained {
                // Everything that was posted before the results reported so far has been fed.
                self.disks.settle();
            }
            if self.lost.is_some() || !worked && taken == 0 {
                return true;
            }
        }
        false
    }

    fn disks_work(&mut self) -> bool {
        match self.disks.run(&mut self.hypervisor) {
            Ok(worked) => worked,
            Err(lost) => {
                self.lost = Some(lost);
                false
            }
        }
    }

    fn take_events(&mut self) -> (u32, bool) {
        for taken in 0..EVENTS {
            let Some(event) = self.hypervisor.next_event() else { return (taken, true) };
            self.event(event);
        }
        (EVENTS, false)
    }
}

#[cfg(test)]
impl<H: Hypervisor> Daemon<H> {
    /// Events are taken and accesses begun, but none is waited for.
    pub fn converse_once(&mut self) {
        self.take_events();
        self.disks_work();
    }
}

impl<H: crate::channel::Line> Daemon<H> {
    /// Takes the interrupt; a step must follow.
    ///
    /// # Errors
    /// As [`crate::channel::Line::acknowledge`].
    pub fn acknowledge(&mut self) -> Result<(), crate::channel::AttachError> {
        self.hypervisor.acknowledge()
    }
}

impl<H: Hypervisor> Daemon<H> {
    /// After a while without anything: the hypervisor looks again at guests that it could not serve.
    pub fn nudge(&mut self) {
        if !self.domains.is_empty() {
            let done = self.simple(abi::command::op::NOP, 0, []);
            self.expect_done("nothing", 0, done);
        }
    }

    /// Goes on with disk accesses, but takes no new events. True if nothing is under way.
    pub fn rest(&mut self) -> bool {
        self.disks_work();
        self.disks.idle()
    }
}
