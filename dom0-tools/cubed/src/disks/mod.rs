//! Carries out what Tesseract's map decides: guests' disk requests, pages leaving and coming back.
//!
//! May depend on: [`crate::channel`] (through its trait), `tesseract`, [`crate::devices::block`].
//! Invariant: the map's contract for executors (`tesseract::action`): commands go out in the order
//! in which the map gave them and are reported before later events are fed; every action is
//! reported once. Nothing here waits for I/O.

mod batch;
mod begin;
mod commands;
mod guest;
mod info;
mod io;
mod land;
mod media;
pub mod open;
mod pages;
mod state;
mod stored;
mod write;

pub use io::{Finished, Io, Job};
pub use media::Media;
pub use state::Disks;

#[cfg(test)]
pub mod model;
