//! Failures: a code for programs, a sentence for people, and what to do next.

use crate::Exit;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What kind of failure; decides the exit status of `cube`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// Anything without a code of its own.
    Failed,
    /// The call is not understood or an argument is out of range.
    Usage,
    /// No domain of that name or identifier.
    NoSuchDomain,
    /// The domain is not in a state that allows this.
    WrongState,
    /// The domain file or a file that it names has mistakes.
    BadDomainFile,
    /// The daemon runs, but there is no hypervisor underneath.
    NoHypervisor,
    /// The daemon cannot be reached. Made by clients.
    NoDaemon,
    /// Not enough memory, store or table space.
    NoResources,
    /// A domain of that name exists.
    Exists,
    /// It did not happen in time.
    Timeout,
    /// Client, daemon and hypervisor do not fit together.
    VersionMismatch,
    /// This build or machine cannot do it.
    Unsupported,
}

impl ErrorCode {
    /// The exit status that stands for it.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Failed => Exit::Failed,
            Self::Usage => Exit::Usage,
            Self::NoSuchDomain => Exit::NoSuchDomain,
            Self::WrongState => Exit::WrongState,
            Self::BadDomainFile => Exit::BadDomainFile,
            Self::NoHypervisor | Self::NoDaemon => Exit::NoHypervisor,
            Self::NoResources => Exit::NoResources,
            Self::Exists => Exit::Exists,
            Self::Timeout => Exit::Timeout,
            Self::VersionMismatch => Exit::VersionMismatch,
            Self::Unsupported => Exit::Unsupported,
        }
    }
}

/// Why it was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs.
    pub code: ErrorCode,
    /// One line: what happened.
    pub message: String,
    /// One line: what to do next.
    #[serde(default)]
    pub hint: Option<String>,
    /// With [`ErrorCode::BadDomainFile`]: every mistake found, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

impl Failure {
    /// A failure with a hint.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: Some(hint.into()), mistakes: Vec::new() }
    }

    /// A domain file with mistakes (at least one).
    #[must_use]
    pub fn bad_file(mistakes: Vec<Mistake>) -> Self {
        let message = match mistakes.as_slice() {
            [one] => format!("{}: 1 mistake", one.file.display()),
            [first, ..] => format!("{}: {} mistakes", first.file.display(), mistakes.len()),
            [] => "the domain file has mistakes".to_owned(),
        };
        let hint = Some("correct them, try with `cube check FILE`; the keys are in docs/domain-file.md".to_owned());
        Self { code: ErrorCode::BadDomainFile, message, hint, mistakes }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// One mistake in a domain file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The domain file.
    pub file: PathBuf,
    /// Line, from 1; 0 if the mistake is of the file as a whole.
    pub line: u32,
    /// Column in characters, from 1; 0 as for `line`.
    pub column: u32,
    /// Dotted key, as `disks[1].path`; empty if none is concerned.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}
