//! Domains: who they are, what their processors may do, and what happens at their exits.
pub mod clock;
mod cpuid;
mod emulation;
mod end;
mod exits;
mod interrupt;
mod length;
mod model;
mod msr;
mod ports;
mod vcpu;
mod view;
mod waiting;

pub use emulation::{Devices, MemoryFault, access};
pub use end::{End, Reason};
pub use exits::{Next, end, handle};
pub use interrupt::{deliver, prepare};
pub use model::{Domain, Kind};
pub use ports::{Ports, string_port};
pub use vcpu::{Context, Vcpu};
pub use waiting::Waiting;
