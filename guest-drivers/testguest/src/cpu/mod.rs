//! The processor: instructions, interrupts, local APIC.

pub mod apic;
mod instructions;
pub mod interrupts;
pub mod probe;
mod vectors;

pub use instructions::*;
