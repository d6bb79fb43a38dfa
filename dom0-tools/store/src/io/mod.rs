//! Asynchronous I/O on files and block devices.

mod buffer;
mod engine;
mod fault;
mod group;
mod mailbox;
mod request;
mod ring;
mod transfer;
mod volume;
mod workers;

pub use buffer::Buffer;
pub use engine::Backend;
pub(crate) use engine::Engine;
pub use fault::{Attempt, Fault, FaultHook};
pub(crate) use mailbox::Mailbox;
pub(crate) use request::Request;
pub use request::{Completion, IoOp};
pub(crate) use transfer::{read_exact, write_all};
pub(crate) use volume::Volume;
