//! The conversation between `cube` (or any other client) and `cubed`.
//!
//! A client connects to the Unix socket [`SOCKET`] and writes one [`Call`] as a line of JSON. The
//! daemon answers with one [`Response`] as a line of JSON; the next call may follow on the same
//! connection. Two requests differ:
//!
//! * `Log` with `follow` is answered by any number of responses until the client closes the
//!   connection; further calls on it are not read.
//! * `Console` is answered by one response; if that is `Ok`, both directions are raw bytes from
//!   then on: first the replayed history, then the live console. Closing the connection detaches.
//!   The client may shut down its writing half and go on reading.
//!
//! Depends on `abi` only for the conversion of counters ([`convert`]). Does no I/O but on the
//! readers and writers it is given. Invariant: what [`wire`] accepts is bounded in size; a field
//! name once published keeps its meaning while [`SCHEMA`] stays the same.
#![forbid(unsafe_code)]

pub mod convert;
pub mod domain;
pub mod exit;
pub mod failure;
pub mod host;
pub mod log;
pub mod request;
pub mod response;
pub mod stats;
pub mod wire;

pub use domain::{Device, DeviceKind, Domain, Policy, Reason, Reconcile, State, Summary};
pub use exit::Exit;
pub use failure::{ErrorCode, Failure, Mistake};
pub use host::{Host, Journal, Store, StoreDisk, VersionInfo};
pub use log::LogChunk;
pub use request::{Call, Request, Source};
pub use response::{Payload, Response};
pub use stats::{BalloonStats, Counters, DeviceCounters, DeviceStats, Exits, Memory, Stats};

/// Where `cubed` listens unless told otherwise.
pub const SOCKET: &str = "/run/cubed.sock";

/// Version of the conversation. A daemon refuses calls of another version with
/// [`ErrorCode::VersionMismatch`], except [`Request::Version`], which it always answers.
pub const VERSION: u32 = 1;

/// Version of the field names in JSON output: the `schema` member of every top-level object that
/// `cube --json` prints. Raised when a field changes its meaning or goes; new fields do not raise it.
pub const SCHEMA: u32 = 1;
