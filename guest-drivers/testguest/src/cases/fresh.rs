//! A disk is read into memory that was never touched, many pages a request: each needs its frame. Then all is compared.
//! Overwrites the disk. Options: `mib=` how much memory (default: all).

use super::reconcile::{Disk, SECTORS, bytes, compare, fill, open, write};
use crate::boot::command_line;
use crate::report::Outcome;
use crate::{ensure, fail, memory};
use core::slice;

/// Blocks of the disk that are read again and again, and pages of a request at most.
const BLOCKS: u64 = 64;

pub fn run() -> Outcome {
    let mut disk = open()?;
    let count = memory::pages().min(command_line::number("mib", u64::MAX >> 20) << 8);
    ensure!(disk.capacity() >= BLOCKS * SECTORS as u64, "a disk of {} sectors is too small", disk.capacity());
    for block in 0..BLOCKS {
        fill(0, block, 0);
        write(&mut disk, block, 0)?;
    }
    for first in (1..count).step_by(BLOCKS as usize) {
        read_all(&mut disk, first, BLOCKS.min(count - first))?;
    }
    for page in 1..count {
        compare("a page that was read into", page, (page - 1) % BLOCKS, 0, None)?;
    }
    Ok(())
}

/// Reads the disk's first blocks into as many pages in one request.
fn read_all(disk: &mut Disk, first: u64, pages: u64) -> Outcome {
    ensure!(
        memory::page(first + pages - 1) == memory::page(first).map(|at| at + (pages - 1) * memory::PAGE),
        "memory has a gap"
    );
    let start = bytes(first)?.as_mut_ptr();
    // SAFETY: usable RAM as in `bytes`, without a gap; no other slice of it is there during the request.
    let buffer = unsafe { slice::from_raw_parts_mut(start, (pages * memory::PAGE) as usize) };
    if let Err(error) = disk.read_blocks(0, buffer) {
        fail!("{pages} pages from {first} on cannot be read into: {error:?}");
    }
    Ok(())
}
