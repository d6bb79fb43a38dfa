//! The service domain: stock Linux on the real devices, with guest-physical = host-physical.
mod build;
mod interrupt;
pub mod io_apic;
mod linux;
mod port;
mod space;
mod void;

pub use build::{Staged, build};
pub use interrupt::{device_interrupt, end_of_interrupt};
pub use port::{INTERCEPTED_PORTS, port};
pub use space::{domain, ended, nested_fault, owns, read, trap, write};
