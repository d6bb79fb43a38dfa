//! What the daemon answers.

use crate::{Domain, Failure, Host, LogChunk, Reason, Reconcile, Stats, Store, Summary, VersionInfo};
use serde::{Deserialize, Serialize};

/// One line from daemon to client: `{"ok":{"type":…}}` or `{"error":{"code":…}}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Done; what was asked for.
    Ok(Box<Payload>),
    /// Refused or failed.
    Error(Failure),
}

impl From<Payload> for Response {
    fn from(payload: Payload) -> Self {
        Self::Ok(Box::new(payload))
    }
}

impl From<Failure> for Response {
    fn from(failure: Failure) -> Self {
        Self::Error(failure)
    }
}

impl From<Result<Payload, Failure>> for Response {
    fn from(result: Result<Payload, Failure>) -> Self {
        result.map_or_else(Self::Error, Self::from)
    }
}

impl Response {
    /// The response as a result.
    ///
    /// # Errors
    /// The daemon's failure.
    pub fn into_result(self) -> Result<Payload, Failure> {
        match self {
            Self::Ok(payload) => Ok(*payload),
            Self::Error(failure) => Err(failure),
        }
    }
}

/// The content of a success. Which one belongs to which request: see [`crate::Request`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Payload {
    /// Nothing to tell.
    Done,
    /// Versions.
    Version(VersionInfo),
    /// The host.
    Host(Host),
    /// The swap store.
    Store(Store),
    /// A domain has been built.
    Created {
        /// Its identifier.
        id: u32,
        /// Its name.
        name: String,
    },
    /// A domain has ended.
    Ended {
        /// Its identifier.
        id: u32,
        /// Its name.
        name: String,
        /// Why.
        reason: Reason,
        /// As told at the reason.
        detail: u64,
    },
    /// All domains.
    Domains {
        /// By identifier, ascending.
        domains: Vec<Summary>,
    },
    /// One domain.
    Domain(Box<Domain>),
    /// The connection is a console from the next byte on.
    Console {
        /// The domain's name.
        name: String,
        /// Bytes of history that follow first.
        history: u64,
    },
    /// Counters.
    Stats {
        /// By identifier, ascending.
        stats: Vec<Stats>,
    },
    /// Reconciliation as it is now.
    Reconcile(Reconcile),
    /// A piece of the log.
    Log(LogChunk),
}
