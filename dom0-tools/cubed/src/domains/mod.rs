//! What the daemon knows of domains beyond what the hypervisor tells: where they came from, what
//! their devices stand for, how they ended.
//!
//! May depend on: `protocol`, `domain-builder`, [`crate::devices`]. Invariant: everything that a
//! restarted daemon needs is in [`state_dir::StateDir`] before the domain can miss it.

pub mod build;
pub mod console_log;
pub mod domain;
pub mod end;
pub mod plan;
pub mod record;
pub mod state_dir;

pub use domain::{Device, Domain};
pub use end::{End, Ends};
pub use record::Record;
pub use state_dir::StateDir;
