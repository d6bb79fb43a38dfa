//! The cases, one idea a file, and their names.

mod clock;
mod control;
mod cpuid;
mod halt;
mod interrupts;
mod mmio;
mod msr;
mod ports;
mod smp;
mod table;

pub use table::run;
