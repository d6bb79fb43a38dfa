//! What a run's output says.

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::Value;

/// A line of the guest's program (`tests/workload`).
#[derive(Clone, Debug, Deserialize)]
struct Line {
    workload: String,
    phase: String,
    ms: u64,
    pages: u64,
    worst_us: u64,
}

/// Everything that is kept of a run.
#[derive(Debug, Default)]
pub struct Record {
    /// Seconds and pages a second, while the program cycles.
    pub pace: Vec<(f64, f64)>,
    /// Pages that were visited in all.
    pub pages: u64,
    /// Seconds of the whole cycle.
    pub seconds: f64,
    /// Longest time for one page, in milliseconds.
    pub worst_ms: f64,
    /// The last `cube stats` of the domain.
    pub stats: Value,
    is_complete: bool,
    complaint: Option<String>,
    last: (u64, u64),
}

impl Record {
    /// Takes a line of output; gives what to tell the user.
    pub fn take(&mut self, line: &str) -> Option<String> {
        if !line.starts_with('{') {
            return None;
        }
        if let Ok(progress) = serde_json::from_str::<Line>(line) {
            return self.progress(&progress);
        }
        let value: Value = serde_json::from_str(line).ok()?;
        if value["workload"] == "wrong" {
            self.complaint = Some(line.to_owned());
        } else if value["type"] == "stats" && value["stats"][0].is_object() {
            self.stats = value["stats"][0].clone();
        }
        None
    }

    fn progress(&mut self, line: &Line) -> Option<String> {
        let seconds = line.ms as f64 / 1000.0;
        if line.phase == "cycle" {
            let (ms, pages) = self.last;
            let passed = line.ms.saturating_sub(ms).max(1) as f64 / 1000.0;
            self.pace.push((seconds, line.pages.saturating_sub(pages) as f64 / passed));
            self.last = (line.ms, line.pages);
            self.worst_ms = self.worst_ms.max(line.worst_us as f64 / 1000.0);
            if line.workload == "end" {
                (self.pages, self.seconds, self.is_complete) = (line.pages, seconds, true);
            }
        }
        let worst = line.worst_us as f64 / 1000.0;
        Some(format!("{:<5} {seconds:>6.1} s {:>8} pages, worst pause {worst:.1} ms", line.phase, line.pages))
    }

    /// A run whose program did not end, or found wrong memory, is none.
    pub fn check(&self) -> Result<()> {
        if let Some(complaint) = &self.complaint {
            bail!("the guest's memory was not what was written to it: {complaint}");
        }
        if !self.is_complete {
            bail!("the guest's program did not end");
        }
        if self.stats.is_null() {
            bail!("there are no counters of the domain");
        }
        Ok(())
    }

    /// One of the domain's counters; 0 where it is not counted.
    pub fn counter(&self, name: &str) -> u64 {
        self.stats["counters"][name].as_u64().unwrap_or(0)
    }

    /// Pages a second over the whole cycle.
    pub fn throughput(&self) -> f64 {
        self.pages as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_run_in_lines() {
        let mut record = Record::default();
        assert!(record.check().is_err());
        record.take("guest: hello");
        record.take(r#"{"workload":"end","phase":"fill","ms":900,"pages":9,"worst_us":1}"#);
        record.take(r#"{"workload":"progress","phase":"cycle","ms":1000,"pages":100,"worst_us":2500}"#);
        record.take(r#"{"schema":1,"type":"stats","stats":[{"counters":{"swap_in":7}}]}"#);
        let told = record.take(r#"{"workload":"end","phase":"cycle","ms":2000,"pages":300,"worst_us":1500}"#);
        assert!(told.unwrap().contains("300 pages"));
        record.check().unwrap();
        assert_eq!(record.pace, [(1.0, 100.0), (2.0, 200.0)]);
        assert_eq!((record.throughput(), record.worst_ms, record.counter("swap_in")), (150.0, 2.5, 7));
        record.take(r#"{"workload":"wrong","what":"word 1"}"#);
        assert!(record.check().is_err());
    }
}
