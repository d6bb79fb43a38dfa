//! The processor: instructions, interrupts, local APIC.

pub mod apic;
pub mod debug;
mod instructions;
pub mod interrupts;
pub mod probe;
mod vectors;

pub use instructions::*;
