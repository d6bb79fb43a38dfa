//! What a request costs: `fixed + bytes / bandwidth`, and a seek if it does not start where the last one ended.

use serde::Serialize;
use std::time::Duration;

/// The parameters of a disk.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Model {
    /// Of every request, in microseconds.
    pub fixed_us: u64,
    /// Of a request that does not start where the last one ended, in microseconds.
    pub seek_us: u64,
    /// Megabytes (10^6 bytes) a second.
    pub megabytes_per_second: u64,
}

/// What a disk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Read requests.
    pub reads: u64,
    /// Write requests.
    pub writes: u64,
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Requests that started elsewhere than the one before ended.
    pub seeks: u64,
    /// Microseconds that the model took in all.
    pub busy_us: u64,
}

impl Model {
    /// A 7200 rpm disk: about 8.5 ms a random request, 150 MB/s in sequence.
    pub const DISK: Self = Self { fixed_us: 100, seek_us: 8400, megabytes_per_second: 150 };
    /// A SATA solid-state disk, as near as the emulated machine allows.
    pub const SSD: Self = Self { fixed_us: 250, seek_us: 0, megabytes_per_second: 500 };

    /// The cost of a request.
    pub fn cost(&self, bytes: u64, is_contiguous: bool) -> Duration {
        let seek = if is_contiguous { 0 } else { self.seek_us };
        Duration::from_micros(self.fixed_us + seek + bytes / self.megabytes_per_second.max(1))
    }

    /// The model in words, for reports.
    pub fn describe(&self) -> String {
        format!(
            "modelled disk, one request at a time: {} us + {} us if not contiguous + bytes at {} MB/s",
            self.fixed_us, self.seek_us, self.megabytes_per_second
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs() {
        assert_eq!(Model::DISK.cost(1_500_000, true), Duration::from_micros(10_100));
        assert_eq!(Model::DISK.cost(0, false), Duration::from_micros(8500));
        assert_eq!(Model::SSD.cost(4096, false), Duration::from_micros(258));
    }
}
