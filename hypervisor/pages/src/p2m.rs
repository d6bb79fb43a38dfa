//! A domain's pages: guest frame to [`crate::PageState`], sparse.
//!
//! Three levels of 512 words, kept in frames from the same [`paging::Memory`] as page tables, but
//! never walked by hardware: a frame that is taken out is free at once. A missing table says that
//! all of its pages are Absent. Not a page table: see `paging` for those.

mod counts;
mod error;
mod map;
mod region;
mod sweep;

pub use counts::Counts;
pub use error::P2mError;
pub use map::{GFN_BITS, P2m};
pub use sweep::Progress;
