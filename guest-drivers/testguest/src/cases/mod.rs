//! The cases, one idea a file, and their names.

mod control;
mod cpuid;
mod mmio;
mod msr;
mod ports;
mod table;

pub use table::run;
