//! A model of the hypervisor for tests: domains with memory, page states, virtqueue requests,
//! page-outs and page-ins, as the ABI tells them.
//!
//! [`Model`] is the hypervisor itself and outlives any number of daemons; [`Fake`] is one
//! daemon's channel to it. Attaching again posts every live object again, as the ABI says.
//! The guest's side ([`guest`]) is driven by the test.

#![allow(missing_docs, reason = "a test model; the ABI documents what its fields stand for")]

mod channel;
mod execute;
mod guest;
mod model;
mod paging;
mod requests;

pub use channel::Fake;
pub use guest::Piece;
pub use model::{Frame, Model, PageState};
