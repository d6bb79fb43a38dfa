//! What virtio devices mean: a request comes in, an answer goes back.
//!
//! May depend on: [`crate::channel`] (through its trait), `protocol` for counters. Knows nothing of
//! domains' life cycles, sockets or files. Invariant: whatever a guest puts into a request, the
//! answer is a status or an empty completion; nothing here panics or waits.

pub mod block;
pub mod bytes;
pub mod console;
pub mod entropy;
pub mod features;
pub mod history;

pub use console::Console;
pub use history::History;
