//! The cases, one idea a file, and their names.

mod balloon;
mod benchmark;
mod block;
mod clock;
mod control;
mod cpuid;
mod crash;
mod debug;
mod entropy;
mod faults;
mod fresh;
mod halt;
mod interrupts;
mod large_pages;
mod memory;
mod mmio;
mod msr;
mod ports;
mod printed;
mod reconcile;
mod ring3;
mod smp;
mod splitmerge;
mod storm;
mod table;
mod virtqueue;

pub use table::run;
