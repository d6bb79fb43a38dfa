//! Sockets, signals and the loop around [`crate::daemon`].
//!
//! May depend on everything else. Invariant: no client can make the loop wait: reads and writes
//! never block, what is queued for a client is bounded.

mod event_loop;
mod listener;
mod outgoing;
mod session;
mod sessions;
mod signals;

pub use event_loop::{Exit, Loop};
pub use listener::Listener;
