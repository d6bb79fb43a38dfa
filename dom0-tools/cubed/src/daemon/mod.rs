//! The daemon itself, without sockets and signals: events in, commands out, clients' requests answered.
//!
//! May depend on everything but [`crate::server`]. Invariant: [`Daemon::step`] does bounded work
//! and never waits; whatever takes longer is a job that the next step goes on with.

mod consoles;
mod create;
mod end;
mod events;
mod hypercalls;
mod logs;
mod memory;
mod query;
mod recover;
mod reply;
mod requests;
mod state;
mod step;
mod teardown;
mod wait;

pub use reply::{Client, Output, Reply};
pub use state::{Daemon, Settings};
