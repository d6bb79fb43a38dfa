//! Which frames of the pool are free: a bitmap for each 2 MiB (bit set: free). It knows nothing of owners; only
//! [`super::frames`] may use it.

use crate::cpu::lock::{Level, Lock};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use paging::Mfn;

/// Frames in a chunk.
pub const CHUNK: u64 = 512;

struct Chunk {
    /// First frame; a multiple of 512.
    base: u64,
    free: [u64; 8],
    count: u16,
}

struct Pool {
    chunks: Vec<Chunk>,
    /// Where the last frame was found.
    hint: usize,
    free: u64,
    total: u64,
}

/// Fewer free frames than this (2 MiB) are a reserve: for tables, and for pages that have to come in
/// before others can leave.
const RESERVE: u64 = 512;

/// The pool's count, to be looked at without its lock.
static FREE: AtomicU64 = AtomicU64::new(0);

static POOL: Lock<Pool> = Lock::new(Level::Frames, Pool { chunks: Vec::new(), hint: 0, free: 0, total: 0 });

/// Bytes of heap that the list of chunks takes for RAM that ends at `top`.
pub const fn list_size(top: u64) -> u64 {
    (top >> 21) * size_of::<Chunk>() as u64
}

/// Makes room for the list of chunks. Once, before [`add`].
pub fn prepare(top: u64) {
    POOL.lock().chunks.reserve_exact((top >> 21) as usize);
}

/// True if guests should give what they can before they get more.
pub fn is_short() -> bool {
    FREE.load(Ordering::Relaxed) < RESERVE
}

impl Pool {
    fn set_free(&mut self, free: u64) {
        self.free = free;
        FREE.store(free, Ordering::Relaxed);
    }
}

/// Free frames, and all.
pub fn counts() -> (u64, u64) {
    let pool = POOL.lock();
    (pool.free, pool.total)
}

/// Adds a frame that is free. At boot only: the list of chunks grows.
pub fn add(frame: Mfn) {
    let mut pool = POOL.lock();
    let base = frame.0 / CHUNK * CHUNK;
    let index = match pool.chunks.binary_search_by_key(&base, |chunk| chunk.base) {
        Ok(index) => index,
        Err(index) => {
            pool.chunks.insert(index, Chunk { base, free: [0; 8], count: 0 });
            index
        }
    };
    if set(&mut pool.chunks[index], frame.0 - base) {
        let free = pool.free + 1;
        pool.set_free(free);
        pool.total += 1;
    }
}

/// Takes a frame out; `None` if there is none.
pub fn take() -> Option<Mfn> {
    let mut pool = POOL.lock();
    let (chunks, hint) = (pool.chunks.len(), pool.hint);
    let found = (hint..chunks).chain(0..hint).find(|&index| pool.chunks[index].count > 0)?;
    pool.hint = found;
    let free = pool.free - 1;
    pool.set_free(free);
    let chunk = &mut pool.chunks[found];
    let word = chunk.free.iter().position(|&word| word != 0)?;
    let bit = chunk.free[word].trailing_zeros();
    chunk.free[word] &= !(1 << bit);
    chunk.count -= 1;
    Some(Mfn(chunk.base + word as u64 * 64 + u64::from(bit)))
}

/// Takes 512 frames that follow each other, aligned; the first.
pub fn take_block() -> Option<Mfn> {
    let mut pool = POOL.lock();
    let chunk = pool.chunks.iter_mut().find(|chunk| u64::from(chunk.count) == CHUNK)?;
    chunk.free = [0; 8];
    chunk.count = 0;
    let base = chunk.base;
    let free = pool.free - CHUNK;
    pool.set_free(free);
    Some(Mfn(base))
}

/// Puts a frame back; false if it never was the pool's, or is in it.
pub fn put(frame: Mfn) -> bool {
    let mut pool = POOL.lock();
    let base = frame.0 / CHUNK * CHUNK;
    let Ok(index) = pool.chunks.binary_search_by_key(&base, |chunk| chunk.base) else { return false };
    let done = set(&mut pool.chunks[index], frame.0 - base);
    let free = pool.free + u64::from(done);
    pool.set_free(free);
    done
}

/// False if the bit was set.
fn set(chunk: &mut Chunk, offset: u64) -> bool {
    let (word, bit) = ((offset / 64) as usize, 1 << (offset % 64));
    let done = chunk.free[word] & bit == 0;
    chunk.free[word] |= bit;
    chunk.count += u16::from(done);
    done
}
