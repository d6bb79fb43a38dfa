//! What a client asks.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// One line from client to daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The client's [`crate::VERSION`].
    pub version: u32,
    /// What is asked.
    pub request: Request,
}

impl Call {
    /// A call in this version of the conversation.
    #[must_use]
    pub const fn new(request: Request) -> Self {
        Self { version: crate::VERSION, request }
    }
}

/// Where a domain's description comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The daemon reads this file.
    File(PathBuf),
    /// The client has read it. `file` is its absolute path: relative paths in the text are
    /// relative to its folder, and mistakes name it.
    Text {
        /// The TOML text.
        text: String,
        /// Its absolute path.
        file: PathBuf,
    },
}

/// What a client asks. `name` is a domain's name or its identifier in decimal (names begin with a
/// letter). The comment of each variant names the [`crate::Payload`] of success.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Request {
    /// Versions of daemon, conversation and hypervisor: `Version`. Answered to every version of caller.
    Version,
    /// The host: `Host`.
    Host,
    /// The swap store: `Store`.
    Store,
    /// Builds a domain and, unless `paused`, starts it: `Created`.
    Create {
        /// Its description.
        source: Source,
        /// Leave it in state Building; `Start` then runs it.
        paused: bool,
    },
    /// Starts a domain that was created paused: `Done`.
    Start {
        /// Which.
        name: String,
    },
    /// Presses the power button and waits until the domain has ended and is gone: `Ended`.
    Stop {
        /// Which.
        name: String,
        /// How long to wait; `None` is the daemon's choice (30 s).
        timeout_ms: Option<u64>,
        /// Kill it when the time is over, rather than answer [`crate::ErrorCode::Timeout`].
        force: bool,
    },
    /// Ends the domain at once and frees everything (any state): `Done`.
    Kill {
        /// Which.
        name: String,
    },
    /// Running to paused: `Done`.
    Pause {
        /// Which.
        name: String,
    },
    /// Paused to running: `Done`.
    Resume {
        /// Which.
        name: String,
    },
    /// Waits until the domain has ended: `Ended`.
    Wait {
        /// Which.
        name: String,
        /// How long; `None` is for ever. Then [`crate::ErrorCode::Timeout`].
        timeout_ms: Option<u64>,
    },
    /// All domains but dom0, by identifier: `Domains`.
    List,
    /// All about one domain: `Domain`.
    Show {
        /// Which.
        name: String,
    },
    /// Attaches to the console: `Console`, then raw bytes (see the crate's documentation).
    Console {
        /// Which.
        name: String,
        /// Bytes of history to replay at most; `None` is all that is kept, 0 is none.
        history: Option<u64>,
        /// Replay the history, then close, instead of going on with what is new.
        history_only: bool,
    },
    /// Counters of one domain or of all: `Stats`.
    Stats {
        /// Which; `None` is all.
        name: Option<String>,
    },
    /// Sets the memory limit, in bytes (rounded down to pages): `Done`.
    SetLimit {
        /// Which.
        name: String,
        /// Memory that the domain may have resident.
        bytes: u64,
    },
    /// Sets the balloon's target, in bytes that the guest shall give up: `Done`.
    SetBalloon {
        /// Which.
        name: String,
        /// Bytes to give up; 0 gives all back.
        bytes: u64,
    },
    /// Switches reconciliation; `None` leaves a switch as it is: `Reconcile` with the new values.
    SetReconcile {
        /// Which.
        name: String,
        /// Block writes of swapped pages become references.
        r1: Option<bool>,
        /// Clean pages are dropped without a write.
        r2: Option<bool>,
        /// Block reads into swapped pages get fresh frames.
        r3: Option<bool>,
    },
    /// The hypervisor's log: `Log`, a piece at a time, empty when nothing is new; repeatedly with `follow`.
    Log {
        /// Byte since boot to begin at; `None` is the oldest kept.
        cursor: Option<u64>,
        /// Go on with what is new.
        follow: bool,
    },
    /// Ends the daemon; domains stay, and those that need it wait for the next one: `Done`.
    Shutdown,
}
