//! From the loader's hand-over to a running case, and the start of further processors.

pub mod command_line;
mod entry;
pub mod secondary;
pub mod start_info;

pub use entry::MAPPED;
