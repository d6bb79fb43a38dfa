//! A virtual processor in vendor-neutral terms. [`crate::svm`] and [`crate::vmx`] are the twins
//! behind [`Backend`]; nothing outside those two folders knows which one runs.
mod backend;
mod exit;
mod registers;

pub use backend::{Backend, Event, Mode, Start};
pub use exit::{Exit, MsrAccess, NestedFault, PortAccess};
pub use registers::{Gpr, Registers};
mod vendor;
pub use vendor::{Vendor, enable, new_cpu, probe, vendor};
