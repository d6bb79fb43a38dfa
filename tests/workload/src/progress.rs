//! Progress, a line of JSON a second.

use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(1);

/// Counts pages and the longest time that one took.
pub struct Progress {
    phase: &'static str,
    start: Instant,
    told: Instant,
    pages: u64,
    worst: Duration,
    worst_of_all: Duration,
}

impl Progress {
    /// Starts a phase.
    pub fn start(phase: &'static str) -> Self {
        let now = Instant::now();
        Self { phase, start: now, told: now, pages: 0, worst: Duration::ZERO, worst_of_all: Duration::ZERO }
    }

    /// Times what is done with one page.
    pub fn touch<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let result = work();
        let now = Instant::now();
        self.worst = self.worst.max(now - before);
        self.pages += 1;
        if now - self.told >= PERIOD {
            self.tell("progress");
            self.told = now;
            self.worst_of_all = self.worst_of_all.max(self.worst);
            self.worst = Duration::ZERO;
        }
        result
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// Ends the phase.
    pub fn end(&mut self) {
        self.worst = self.worst.max(self.worst_of_all);
        self.tell("end");
    }

    fn tell(&self, what: &str) {
        println!(
            "{{\"workload\":\"{what}\",\"phase\":\"{}\",\"ms\":{},\"pages\":{},\"worst_us\":{}}}",
            self.phase,
            self.elapsed().as_millis(),
            self.pages,
            self.worst.as_micros()
        );
    }
}
