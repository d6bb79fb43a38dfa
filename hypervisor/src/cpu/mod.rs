//! The physical CPU: registers, tables, local APIC, time, locks.
//!
//! May depend on [`crate::memory::direct`] and [`crate::log`] only.
pub mod cpuid;
pub mod debug;
pub mod fpu;
pub mod gdt;
pub mod idt;
pub mod lapic;
pub mod lock;
pub mod panic;
mod percpu;
pub mod port;
pub mod register;
pub mod time;

pub use percpu::{PerCpu, count, index, leave_out_boot_cpu, of, set_count, this, working};

/// Physical CPUs that are used at most.
pub const MAX_CPUS: u32 = 32;
