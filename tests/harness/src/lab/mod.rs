//! Experiments: machines that run a script in dom0 while their output is watched line by line.
//! Shared by the demo and the benchmark.
//!
//! May depend on the machine and the builder. Invariant: an experiment that did not run to its end
//! is an error, never a result.

mod experiment;
mod lines;
pub mod picture;
mod store_disk;

pub use experiment::{Experiment, Lab};
pub use store_disk::partitioned;
