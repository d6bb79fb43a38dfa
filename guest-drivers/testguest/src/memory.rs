//! RAM that cases may use: everything that the loader reported, behind the image.

use crate::boot::MAPPED;
use crate::boot::start_info::Info;
use core::ptr;
use core::sync::atomic::{AtomicU64, Ordering};

const PIECES: usize = 8;
/// First address and first address behind, of each piece; pages.
static RAM: [[AtomicU64; 2]; PIECES] = [const { [const { AtomicU64::new(0) }; 2] }; PIECES];
/// Loaders put their tables near the end of low RAM or below the image; what they left is spared.
const LARGE: u64 = 2 << 20;
/// Bytes in a page.
pub const PAGE: u64 = abi::PAGE_SIZE;

// SAFETY: the linker script defines it; only its address is used.
unsafe extern "C" {
    static __image_end: u8;
}

/// Remembers the RAM, from the first 2 MiB boundary behind the image, in whole 2 MiB.
pub fn keep(info: &Info) {
    let image_end = (&raw const __image_end) as u64;
    let pieces = info.ram().filter_map(|(address, size)| {
        let first = address.max(image_end).next_multiple_of(LARGE);
        let behind = address.saturating_add(size).min(MAPPED) / LARGE * LARGE;
        (first < behind).then_some((first, behind))
    });
    for (place, (first, behind)) in RAM.iter().zip(pieces) {
        place[0].store(first, Ordering::Relaxed);
        place[1].store(behind, Ordering::Relaxed);
    }
}

/// Number of usable pages.
pub fn pages() -> u64 {
    RAM.iter().map(|p| (p[1].load(Ordering::Relaxed) - p[0].load(Ordering::Relaxed)) / PAGE).sum()
}

/// Address of usable page `number`; `None` behind the last.
pub fn page(mut number: u64) -> Option<u64> {
    for piece in &RAM {
        let (first, behind) = (piece[0].load(Ordering::Relaxed), piece[1].load(Ordering::Relaxed));
        let pages = (behind - first) / PAGE;
        if number < pages {
            return Some(first + number * PAGE);
        }
        number -= pages;
    }
    None
}

/// The aligned 8 bytes at offset `word * 8` of usable page `number`.
pub fn read(number: u64, word: u64) -> u64 {
    let Some(address) = page(number) else { return 0 };
    // SAFETY: usable RAM, mapped one to one, of which Rust knows nothing; `word` is reduced to the page.
    unsafe { ptr::read_volatile((address + word % 512 * 8) as *const u64) }
}

/// Writes what [`read`] reads.
pub fn write(number: u64, word: u64, value: u64) {
    let Some(address) = page(number) else { return };
    // SAFETY: as in `read`.
    unsafe { ptr::write_volatile((address + word % 512 * 8) as *mut u64, value) }
}
