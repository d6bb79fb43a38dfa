//! Puts a domain's first memory together.
//!
//! [`Image::build`] reads headers only; the bulk of kernel and initial file system is read while
//! [`Pieces`] hands out page after page. Invariant: pieces ascend, never overlap, and lie in the
//! domain's memory; what is in none of them is zero.

mod error;
mod image;
mod linux64;
mod paging;
mod pieces;
mod pvh;
mod reset;
mod sparse;

pub use error::BuildError;
pub use image::Image;
pub use pieces::{Piece, Pieces};
