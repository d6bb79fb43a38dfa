//! A piece of the hypervisor's log.

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
