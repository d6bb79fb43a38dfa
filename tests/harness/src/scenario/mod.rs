//! Scenarios: text files that say what machine to boot, what to run in dom0, and what must come of it.
//!
//! The format is described in `tests/scenarios/README.md`. Invariant: a scenario passes only if
//! everything that it names was checked; an unknown key is an error, not a check left out.

mod arguments;
mod case;
mod disks;
mod expect;
mod file;
mod matrix;

pub use case::load_all;
pub use expect::matches;
