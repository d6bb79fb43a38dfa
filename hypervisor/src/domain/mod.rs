//! Domains: who they are, what their processors may do, and what happens at their exits.
pub mod clock;
mod cpuid;
mod emulation;
mod end;
mod exits;
mod interrupt;
mod model;
mod msr;
mod vcpu;

pub use emulation::{Devices, MemoryFault, access};
pub use end::{End, Reason};
pub use exits::{Next, end, handle};
pub use interrupt::{deliver_ipi, prepare};
pub use model::{Domain, Kind};
pub use vcpu::{Context, Vcpu};
