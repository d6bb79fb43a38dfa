//! A disk with the cost of a real one: a network block device server for QEMU whose requests are
//! served one after the other and take as long as a written model says.
//!
//! May depend on files and sockets only. Invariant: any hypervisor that is measured on it sees the
//! same disk, whatever the host's own disk and cache do.

mod model;
mod negotiation;
mod server;
mod transmission;

pub use model::{Counts, Model};
pub use server::Server;
