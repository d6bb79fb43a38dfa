//! The pool of free frames: [`pages::Pool`] behind its lock. It knows nothing of owners; only [`super::frames`] may
//! use it.

use crate::cpu::lock::{Level, Lock};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use pages::Pool;
use pages::pool::{Block, Region};
use paging::Mfn;

/// Frames in a block.
pub const BLOCK: u64 = pages::pool::FRAMES;

/// Fewer free frames than this (2 MiB) are a reserve: for tables, and for pages that have to come in
/// before others can leave.
const RESERVE: u64 = 512;

/// The pool's count, to be looked at without its lock.
static FREE: AtomicU64 = AtomicU64::new(0);

/// Blocks may be reserved.
static RESERVING: AtomicBool = AtomicBool::new(true);

static POOL: Lock<Pool<Vec<Block>>> = Lock::new(Level::Frames, Pool::new(Vec::new()));

/// Bytes of heap that the list of blocks takes for RAM that ends at `top`.
pub const fn list_size(top: u64) -> u64 {
    (top >> 21) * size_of::<Block>() as u64
}

/// Makes room for the list of blocks. Once, before [`add`].
pub fn prepare(top: u64) {
    POOL.lock().blocks.reserve_exact((top >> 21) as usize);
}

/// `large_pages=off`: no block is reserved, and so no region ever maps as a whole.
pub fn reserve_nothing() {
    RESERVING.store(false, Ordering::Relaxed);
}

/// True if guests should give what they can before they get more.
pub fn is_short() -> bool {
    FREE.load(Ordering::Relaxed) < RESERVE
}

/// Free frames, and all.
pub fn counts() -> (u64, u64) {
    with(|pool| (pool.free(), pool.total()))
}

/// Adds a frame that is free. At boot only: the list of blocks grows.
pub fn add(frame: Mfn) {
    with(|pool| {
        if let Err(at) = pool.find(frame) {
            pool.blocks.insert(at, Block::around(frame));
        }
        pool.add(frame);
    });
}

/// Takes a frame out; `None` if there is none.
pub fn take() -> Option<Mfn> {
    with(Pool::take)
}

/// Takes the frame out that is kept for a page, by its region and its place there.
pub fn take_own(region: Region, offset: u64) -> Option<Mfn> {
    with(|pool| pool.take_own(region, offset))
}

/// The same for the first page of a region, if there are blocks enough to reserve one.
pub fn reserve(region: Region, offset: u64) -> Option<Mfn> {
    RESERVING.load(Ordering::Relaxed).then(|| with(|pool| pool.reserve(region, offset)))?
}

/// True if all pages of the region have had their frames in the block that `frame` is in.
pub fn is_complete(region: Region, frame: Mfn) -> bool {
    with(|pool| pool.is_complete(region, frame))
}

/// Takes 512 frames that follow each other, aligned; the first.
pub fn take_block() -> Option<Mfn> {
    with(Pool::take_block)
}

/// Puts a frame back; false if it never was the pool's, or is in it.
pub fn put(frame: Mfn) -> bool {
    with(|pool| pool.put(frame))
}

fn with<T>(work: impl FnOnce(&mut Pool<Vec<Block>>) -> T) -> T {
    let mut pool = POOL.lock();
    let result = work(&mut pool);
    FREE.store(pool.free(), Ordering::Relaxed);
    result
}
