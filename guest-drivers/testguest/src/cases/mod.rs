//! The cases, one idea a file, and their names.

mod cpuid;
mod table;

pub use table::run;
