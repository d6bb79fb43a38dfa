//! Which frames are free, in blocks of 2 MiB, and which block is meant for which region of guest memory.
//!
//! A block that a [`Region`] has reserved is a preference and no more: its free frames stay free, are counted as
//! free, and go to anybody once nothing else is left; the block is then nobody's. So there is nothing to give
//! back: a reservation costs no frame, and ends with the region's last frame in the block.
//!
//! Invariant: as long as a block is reserved, each of its frames that is taken is at the place in it that the
//! page has in its region. A reserved block without a free frame is therefore the whole region.

mod block;
mod free;
mod region;

pub use block::Block;
pub use free::{PLENTY, Pool};
pub use region::Region;

/// Frames in a block: what one 2 MiB translation maps.
pub const FRAMES: u64 = paging::Size::Large.frames();
