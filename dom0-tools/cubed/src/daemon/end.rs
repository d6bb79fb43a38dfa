//! A domain ends by itself: write it down, then do what its policy says.

use super::Daemon;
use super::create::Creation;
use crate::channel::Hypervisor;
use crate::domains::End;
use protocol::{Policy, Reason, Source, State};
use std::time::{Duration, Instant};

/// A domain that crashes or resets sooner than this after its start is restarted after a pause.
const SHORT_LIFE: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST_PAUSE: u64 = 30;

impl<H: Hypervisor> Daemon<H> {
    /// The hypervisor says that a domain has ended.
    pub(super) fn ended(&mut self, id: u32) {
        let Some(domain) = self.domains.get_mut(&id) else { return };
        if domain.ended {
            return;
        }
        domain.ended = true;
        let Some(end) = self.write_end(id, None) else { return };
        let (reason, detail) = end.why();
        tracing::info!(domain = id, name = end.name(), reason = %reason.text(detail), "a domain has ended");
        if let Some(console) = self.consoles.get_mut(end.name()) {
            console.note(&reason.text(detail));
        }
        if self.policy(id, reason, detail) == Policy::Keep {
            self.notify(&end, false);
        } else {
            self.teardown(id);
        }
    }

    /// Ends a domain at once, whatever its state.
    pub(super) fn kill(&mut self, id: u32) {
        let Some(domain) = self.domains.get_mut(&id) else { return };
        domain.record.killed = true;
        if !domain.ended {
            domain.ended = true;
            self.write_end(id, Some(Reason::Killed));
        }
        self.save(id);
        self.teardown(id);
    }

    /// Keeps a domain's last state; `reason` where the hypervisor knows none.
    fn write_end(&mut self, id: u32, reason: Option<Reason>) -> Option<End> {
        let mut end = End { domain: self.show(id).ok()?, stats: self.stats(id).ok() };
        if let Some(reason) = reason
            && end.domain.summary.state != State::Ended
        {
            end.domain.summary.reason = reason;
            end.domain.summary.detail = 0;
            end.domain.reason_text = reason.text(0);
        }
        end.domain.summary.state = State::Ended;
        if let Some(stats) = &mut end.stats {
            stats.state = State::Ended;
        }
        self.ends.push(end.clone());
        self.save_ends();
        Some(end)
    }

    fn policy(&self, id: u32, reason: Reason, detail: u64) -> Policy {
        let Some(domain) = self.domains.get(&id) else { return Policy::Destroy };
        match reason {
            _ if domain.record.killed => Policy::Destroy,
            Reason::Reset => domain.record.on_reboot,
            _ if reason.is_fault(detail) => domain.record.on_crash,
            _ => Policy::Destroy,
        }
    }

    /// A domain is torn down: everybody is told, and it is built again if its policy says so.
    pub(super) fn gone(&mut self, id: u32) {
        let Some(domain) = self.domains.remove(&id) else { return };
        self.dir.remove(id);
        self.disks.forget(id);
        self.deferred.retain(|request| request.domain != id);
        let record = domain.record;
        if let Some(console) = self.consoles.get_mut(&record.name) {
            console.reset();
        }
        let end = self.ends.find(&id.to_string()).filter(|end| end.name() == record.name).cloned();
        let again = end.as_ref().is_some_and(|end| {
            let (reason, detail) = end.why();
            let policy = match reason {
                Reason::Reset => record.on_reboot,
                _ if reason.is_fault(detail) => record.on_crash,
                _ => Policy::Destroy,
            };
            policy == Policy::Restart && !record.killed
        });
        if let Some(end) = &end {
            self.notify(end, true);
        }
        self.notify_rest(id);
        if !again {
            self.consoles.close(&record.name);
            return;
        }
        let pause = if self.now.duration_since(domain.since) < SHORT_LIFE {
            Duration::from_secs((record.restarts + 1).min(LONGEST_PAUSE))
        } else {
            Duration::ZERO
        };
        tracing::info!(name = record.name, ?pause, "built again by policy");
        let source = Source::Text { text: record.text, file: record.file };
        self.creations.push(Creation::again(source, record.name, record.restarts + 1, self.now + pause));
    }

    /// Adds to the ends of domains how long their disks took to be copied home.
    pub(super) fn note_resolved(&mut self) {
        let resolved = self.disks.take_resolved();
        if resolved.is_empty() {
            return;
        }
        for (id, took) in resolved {
            let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            if let Some(counters) = self.ends.of(id).and_then(|end| end.stats.as_mut()).map(|s| &mut s.counters) {
                counters.resolve_all_ms = counters.resolve_all_ms.max(Some(took));
                counters.ref_lbas = Some(0);
            }
        }
        self.save_ends();
    }

    fn save_ends(&self) {
        if let Err(error) = self.dir.save_ends(&self.ends.all()) {
            tracing::warn!(%error, "how a domain ended could not be written down");
        }
    }

    /// Writes a domain's record down.
    pub(super) fn save(&mut self, id: u32) {
        if let Some(domain) = self.domains.get(&id)
            && let Err(error) = self.dir.save(&domain.record)
        {
            tracing::error!(domain = id, %error, "its record could not be written: a restarted cubed will not know it");
        }
    }

    /// The time of this step.
    pub(super) fn set_now(&mut self, now: Instant) {
        self.now = now;
    }
}
