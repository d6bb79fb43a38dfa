//! The commands, each in a file; `run` chooses.

mod check;
mod console;
mod create;
mod doctor;
mod host;
mod life;
mod list;
mod log;
mod memory;
mod run;
mod show;
mod stats;
mod store;

pub use run::run;
