//! Tesseract's map: which page, disk block and swap slot hold the same content.
//!
//! Sans I/O: the map takes events, decides, keeps the books, and hands out [`Action`]s; somebody
//! else carries them out and reports each with [`Map::complete`]. No files, no clocks, no threads.
//! May depend on the ABI only.
//!
//! The hypervisor's page states are the truth about pages; the journal is the truth about disk
//! references; slot counts follow from both and from live operations ([`Map::restore`]). The
//! invariants are listed and checked in [`Map::audit`]; why the protocol survives kills and losses
//! of power is told in `docs/store.md`.
#![forbid(unsafe_code)]

mod action;
mod answer;
mod audit;
mod backoff;
mod config;
mod crowded;
mod error;
mod extents;
mod flush;
mod history;
mod job;
mod links;
mod map;
mod modify;
mod page_in;
mod page_out;
mod parked;
mod paused;
mod plan;
mod plan_zero;
mod preserve;
mod queue;
mod read;
mod record;
mod refs;
mod request;
mod resolve;
mod restore;
mod room;
mod runs;
mod sick;
mod slots;
mod state;
mod stats;
mod types;

pub use action::{Action, ActionId, Durable, Op, Outcome, Status};
pub use config::{Config, Switches};
pub use error::Error;
pub use map::Map;
pub use record::{RECORD_SIZE, Record};
pub use refs::RefTable;
pub use stats::{Stats, Totals};
pub use types::{
    BLOCK, BLOCK_LEN, Extent, Medium, PageId, Payload, Piece, ReadSegment, RequestId, SECTOR, Source, WriteSegment,
};
