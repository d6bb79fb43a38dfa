//! The pool: all RAM that is neither dom0's nor in the image. Frames and aligned 2 MiB blocks.
//!
//! A bitmap per 2 MiB chunk (bit set: free). A frame leaves the pool zeroed, so that nothing of
//! its last owner is seen by the next.

use super::direct;
use crate::cpu::lock::{Level, Lock};
use alloc::vec::Vec;
use paging::{Memory, Mfn};

/// Frames in a chunk.
const CHUNK: u64 = 512;

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

static POOL: Lock<Pool> = Lock::new(Level::Frames, Pool { chunks: Vec::new(), hint: 0, free: 0, total: 0 });

/// Frames in the pool: free and all.
pub fn counts() -> (u64, u64) {
    let pool = POOL.lock();
    (pool.free, pool.total)
}

/// Gives the frames `start..end` to the pool.
pub fn donate(start: Mfn, end: Mfn) {
    let mut pool = POOL.lock();
    for frame in start.0..end.0 {
        let base = frame / CHUNK * CHUNK;
        let index = match pool.chunks.binary_search_by_key(&base, |chunk| chunk.base) {
            Ok(index) => index,
            Err(index) => {
                pool.chunks.insert(index, Chunk { base, free: [0; 8], count: 0 });
                index
            }
        };
        set(&mut pool.chunks[index], frame - base);
    }
    pool.free += end.0.saturating_sub(start.0);
    pool.total += end.0.saturating_sub(start.0);
}

fn set(chunk: &mut Chunk, offset: u64) {
    let (word, bit) = ((offset / 64) as usize, 1 << (offset % 64));
    assert!(chunk.free[word] & bit == 0, "frame {:#x} freed twice", chunk.base + offset);
    chunk.free[word] |= bit;
    chunk.count += 1;
}

/// A zeroed frame; `None` if the pool is empty.
pub fn allocate() -> Option<Mfn> {
    let frame = take()?;
    direct::zero(frame.0 << 12, 4096);
    Some(frame)
}

fn take() -> Option<Mfn> {
    let mut pool = POOL.lock();
    let chunks = pool.chunks.len();
    let hint = pool.hint;
    let found = (hint..chunks).chain(0..hint).find(|&index| pool.chunks[index].count > 0)?;
    pool.hint = found;
    pool.free -= 1;
    let chunk = &mut pool.chunks[found];
    let word = chunk.free.iter().position(|&word| word != 0)?;
    let bit = chunk.free[word].trailing_zeros();
    chunk.free[word] &= !(1 << bit);
    chunk.count -= 1;
    Some(Mfn(chunk.base + word as u64 * 64 + u64::from(bit)))
}

/// 512 contiguous, aligned, zeroed frames.
pub fn allocate_block() -> Option<Mfn> {
    let base = {
        let mut pool = POOL.lock();
        let chunk = pool.chunks.iter_mut().find(|chunk| u64::from(chunk.count) == CHUNK)?;
        chunk.free = [0; 8];
        chunk.count = 0;
        let base = chunk.base;
        pool.free -= CHUNK;
        base
    };
    direct::zero(base << 12, CHUNK << 12);
    Some(Mfn(base))
}

/// Takes back a frame that no CPU can reach any more.
pub fn free(frame: Mfn) {
    let mut pool = POOL.lock();
    let base = frame.0 / CHUNK * CHUNK;
    let Ok(index) = pool.chunks.binary_search_by_key(&base, |chunk| chunk.base) else {
        panic!("frame {:#x} is not of the pool", frame.0);
    };
    set(&mut pool.chunks[index], frame.0 - base);
    pool.free += 1;
}

/// A zeroed frame for a structure of the hypervisor or the hardware (VMCB, VMCS, bitmap, table).
pub fn allocate_hypervisor() -> Option<Mfn> {
    allocate()
}

/// Page tables in frames of the pool.
#[derive(Clone, Copy)]
pub struct Tables;

impl Memory for Tables {
    fn allocate(&self) -> Option<Mfn> {
        allocate()
    }
    fn free(&self, table: Mfn) {
        free(table);
    }
    fn read(&self, table: Mfn, index: usize) -> u64 {
        word(table, index).load(core::sync::atomic::Ordering::Acquire)
    }
    fn write(&self, table: Mfn, index: usize, value: u64) {
        word(table, index).store(value, core::sync::atomic::Ordering::Release);
    }
    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64> {
        use core::sync::atomic::Ordering::{AcqRel, Acquire};
        word(table, index).compare_exchange(old, new, AcqRel, Acquire)
    }
}

fn word(table: Mfn, index: usize) -> &'static core::sync::atomic::AtomicU64 {
    direct::atomic((table.0 << 12) + (index as u64 & 511) * 8)
}
