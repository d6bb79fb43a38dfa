//! The direct map: every physical address at a fixed distance. The only place that turns physical
//! addresses into pointers.
//!
//! Memory of guests, dom0 and devices is never a Rust reference: it is read and written through
//! these functions, by volatile or byte-copy operations, because its owners change it at any time.

use core::ptr::{copy_nonoverlapping, with_exposed_provenance_mut};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Virtual address of physical address 0.
pub const BASE: u64 = 0xffff_8000_0000_0000;
/// Virtual address of the image (physical 0 in the top 2 GiB).
pub const IMAGE_BASE: u64 = 0xffff_ffff_8000_0000;

/// One past the highest physical address that is mapped.
static LIMIT: AtomicU64 = AtomicU64::new(4 << 30);

/// Told by [`super::kernel_map`] when more is mapped.
pub fn set_limit(limit: u64) {
    LIMIT.store(limit, Ordering::Relaxed);
}

/// One past the highest mapped physical address.
pub fn limit() -> u64 {
    LIMIT.load(Ordering::Relaxed)
}

/// True if a virtual address lies in the direct map.
pub fn contains(address: u64) -> bool {
    address >= BASE && address - BASE < limit()
}

/// A pointer to a physical address. Panics beyond the map: callers check what comes from outside.
pub fn pointer(physical: u64) -> *mut u8 {
    assert!(physical < limit(), "physical address {physical:#x} is outside the direct map");
    with_exposed_provenance_mut((BASE + physical) as usize)
}

/// The physical address of something in the direct map or the image.
pub fn physical(address: usize) -> u64 {
    let address = address as u64;
    if address >= IMAGE_BASE { address - IMAGE_BASE } else { address - BASE }
}

/// Reads 32 bits; the address is a multiple of 4.
pub fn read32(physical: u64) -> u32 {
    // SAFETY: mapped (checked by `pointer`), aligned by the caller's contract, volatile.
    unsafe { pointer(physical).cast::<u32>().read_volatile() }
}

/// Writes 32 bits; the address is a multiple of 4.
pub fn write32(physical: u64, value: u32) {
    // SAFETY: as above; callers name device registers or memory that the hypervisor may write.
    unsafe { pointer(physical).cast::<u32>().write_volatile(value) }
}

/// A word of memory that others change concurrently; the address is a multiple of 8.
pub fn atomic(physical: u64) -> &'static AtomicU64 {
    assert!(physical.is_multiple_of(8), "unaligned word");
    // SAFETY: mapped and aligned; all accesses to such words are atomic; the map is never removed.
    unsafe { AtomicU64::from_ptr(pointer(physical).cast()) }
}

/// `count` words of 32 bits that are changed concurrently, for good; the address is a multiple of 4.
pub fn words(physical: u64, count: usize) -> &'static [AtomicU32] {
    assert!(physical.is_multiple_of(4), "unaligned word");
    let Some(last) = (count as u64 * 4).checked_sub(1) else { return &[] };
    let _ = pointer(physical + last);
    // SAFETY: mapped and aligned; the caller gives the range up, so that all accesses to it are atomic; the map is never removed.
    unsafe { core::slice::from_raw_parts(pointer(physical).cast(), count) }
}

/// Copies out of physical memory. Aligned, 2, 4 and 8 bytes are one access: the index of a ring that another
/// CPU moves on must not be read half old and half new.
pub fn read_bytes(physical: u64, out: &mut [u8]) {
    let Some(last) = (out.len() as u64).checked_sub(1) else { return };
    let _ = pointer(physical + last);
    let at = pointer(physical);
    if is_word(physical, out.len()) {
        // SAFETY: first and last byte are mapped, the address is aligned, and the access volatile.
        unsafe {
            match out.len() {
                2 => out.copy_from_slice(&at.cast::<u16>().read_volatile().to_ne_bytes()),
                4 => out.copy_from_slice(&at.cast::<u32>().read_volatile().to_ne_bytes()),
                _ => out.copy_from_slice(&at.cast::<u64>().read_volatile().to_ne_bytes()),
            }
        }
        return;
    }
    // SAFETY: first and last byte are mapped, and the map has no holes; a concurrent writer can
    // only make the copy stale, and it is checked after copying.
    unsafe { copy_nonoverlapping(at, out.as_mut_ptr(), out.len()) };
}

/// True if an access is of an aligned word.
fn is_word(physical: u64, len: usize) -> bool {
    matches!(len, 2 | 4 | 8) && physical.is_multiple_of(len as u64)
}

/// Copies into physical memory; words as in [`read_bytes`].
pub fn write_bytes(physical: u64, bytes: &[u8]) {
    let Some(last) = (bytes.len() as u64).checked_sub(1) else { return };
    let _ = pointer(physical + last);
    let at = pointer(physical);
    if is_word(physical, bytes.len()) {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u64::from_le_bytes(word);
        // SAFETY: first and last byte are mapped, the address is aligned, and the access volatile.
        unsafe {
            match bytes.len() {
                2 => at.cast::<u16>().write_volatile(word as u16),
                4 => at.cast::<u32>().write_volatile(word as u32),
                _ => at.cast::<u64>().write_volatile(word),
            }
        }
        return;
    }
    // SAFETY: as above; callers own the destination or write it on its owner's behalf.
    unsafe { copy_nonoverlapping(bytes.as_ptr(), at, bytes.len()) };
}

/// Copies between two places in physical memory that do not overlap.
pub fn copy(from: u64, to: u64, len: u64) {
    if len == 0 {
        return;
    }
    assert!(from + len <= to || to + len <= from, "overlapping copy");
    let _ = (pointer(from + len - 1), pointer(to + len - 1));
    // SAFETY: both ranges are mapped and disjoint.
    unsafe { copy_nonoverlapping(pointer(from), pointer(to), len as usize) };
}

/// Fills with zeroes.
pub fn zero(physical: u64, len: u64) {
    if len == 0 {
        return;
    }
    let _ = pointer(physical + len - 1);
    // SAFETY: mapped; callers own the range.
    unsafe { core::ptr::write_bytes(pointer(physical), 0, len as usize) };
}

/// True if a frame is all zeroes.
pub fn is_zero_frame(physical: u64) -> bool {
    assert!(physical.is_multiple_of(4096));
    let words = pointer(physical).cast::<u64>();
    (0..512).step_by(8).all(|start| {
        (start..start + 8).fold(0, |sum, index| {
            // SAFETY: 512 words of one mapped frame.
            sum | unsafe { words.add(index).read() }
        }) == 0
    })
}

/// Shows lines on a text-mode screen, from its top down and below those before them, as long as there is room;
/// harmless where there is none.
pub fn write_text_screen(text: &str) {
    const COLUMNS: usize = 80;
    const ROWS: u64 = 25;
    static ROW: AtomicU64 = AtomicU64::new(0);
    for part in text.lines().flat_map(|line| line.as_bytes().chunks(COLUMNS)) {
        let row = ROW.fetch_add(1, Ordering::Relaxed);
        if row >= ROWS {
            return;
        }
        let cells = part.iter().copied().chain(core::iter::repeat(b' ')).take(COLUMNS);
        for (cell, byte) in (row * COLUMNS as u64..).zip(cells) {
            // SAFETY: the legacy text buffer is mapped by the boot tables and the direct map.
            unsafe {
                with_exposed_provenance_mut::<u16>((BASE + 0xb8000 + cell * 2) as usize)
                    .write_volatile(0x0700 | u16::from(byte))
            };
        }
    }
}
