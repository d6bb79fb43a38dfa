//! Pieces of the hypervisor's log and trace.

use serde::{Deserialize, Serialize};

/// A piece of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogChunk {
    /// Byte since boot of the first byte in `text`: larger than asked for if older ones were overwritten.
    pub cursor: u64,
    /// What to ask for next.
    pub next: u64,
    /// The text; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// A piece of the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceChunk {
    /// Byte since boot of the first record.
    pub cursor: u64,
    /// What to ask for next.
    pub next: u64,
    /// Records, oldest first.
    pub records: Vec<TraceEntry>,
}

/// One record ([`abi::host::TraceRecord`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEntry {
    /// Time-stamp counter.
    pub tsc: u64,
    /// What happened.
    pub kind: u16,
    /// Physical CPU.
    pub cpu: u16,
    /// Domain.
    pub domain: u16,
    /// vCPU.
    pub vcpu: u16,
    /// Two values.
    pub args: [u64; 2],
}
