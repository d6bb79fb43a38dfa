//! Errors on purpose, for tests: each operation is shown to a hook before it starts.

use std::sync::Arc;

/// An operation that is about to start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// `None`: the store's file; else the disk's number.
    pub disk: Option<u16>,
    /// It changes the medium or makes changes durable.
    pub write: bool,
    /// It is done for the journal.
    pub journal: bool,
    /// First byte, counted from the start of the file.
    pub offset: u64,
    /// Bytes; 0 for a sync.
    pub len: u64,
}

/// What shall go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails with this error number.
    Error(i32),
    /// The first transfer ends after this many bytes; the rest must be asked for again.
    Short(usize),
}

/// Decides about each operation. Called from any thread.
pub type FaultHook = Arc<dyn Fn(&Attempt) -> Option<Fault> + Send + Sync>;
