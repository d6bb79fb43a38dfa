//! The doing of I/O for Tesseract's map: the swap store, the journal of disk references, and
//! guests' raw disk images.
//!
//! [`Store`] is the whole of it: open a store, attach images, queue operations with tokens,
//! poll one event descriptor, take completions. Layouts on disk are told in `docs/store.md`.
//! May depend on `tesseract` (media, records, the reference table) and on the kernel's file
//! interfaces; knows nothing of the hypervisor. `unsafe` is in [`memory`](Buffer) (memory that others lend) and in the
//! io_uring back end only.

mod check;
mod error;
mod format;
mod io;
mod journal;
mod random;
mod store;

pub use check::{Report, check};
pub use error::Error;
pub use format::{DiskEntry, Geometry};
pub use io::{Attempt, Backend, Buffer, Completion, Fault, FaultHook, IoOp};
pub use store::{Attached, Options, Recovered, Store};
