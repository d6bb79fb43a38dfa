//! A queue of 8 entries in static memory, filled by hand (virtio 1.2, section 2.7).

use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{Ordering, fence};

/// Entries.
pub const SIZE: u16 = 8;
/// Descriptor flag: `next` counts.
pub const NEXT: u16 = 1;
/// Descriptor flag: the device writes.
pub const WRITE: u16 = 2;
/// Descriptor flag: the buffer is a table.
pub const INDIRECT: u16 = 4;

/// A descriptor.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Descriptor {
    pub address: u64,
    pub len: u32,
    pub flags: u16,
    pub next: u16,
}

#[repr(C, align(4096))]
struct Memory(UnsafeCell<[u8; 5 * 4096]>);
// SAFETY: only processor 0 touches it, volatile; the device does what it does.
unsafe impl Sync for Memory {}

static MEMORY: Memory = Memory(UnsafeCell::new([0; 5 * 4096]));

/// Address of page `number` of the queue's memory.
fn page(number: usize) -> u64 {
    MEMORY.0.get() as u64 + number as u64 * 4096
}

/// Descriptor table.
pub fn descriptors() -> u64 {
    page(0)
}

/// Available ring.
pub fn available() -> u64 {
    page(1)
}

/// Used ring.
pub fn used() -> u64 {
    page(2)
}

/// A page for an indirect table.
pub fn table() -> u64 {
    page(3)
}

/// A page for data.
pub fn data() -> u64 {
    page(4)
}

/// Writes entry `number` of the table at `table`.
pub fn describe(table: u64, number: u16, descriptor: Descriptor) {
    // SAFETY: one of the pages above, with room for 256 entries.
    unsafe { ptr::write_volatile((table as *mut Descriptor).add(usize::from(number) % 256), descriptor) }
}

/// Writes ring entry `slot` and then the index of the available ring.
pub fn offer(slot: u16, head: u16, index: u16) {
    let ring = available() as *mut u16;
    // SAFETY: the available ring's page: flags, index, 8 entries.
    unsafe {
        ptr::write_volatile(ring.add(2 + usize::from(slot % SIZE)), head);
        fence(Ordering::SeqCst);
        ptr::write_volatile(ring.add(1), index);
    }
    fence(Ordering::SeqCst);
}

/// The used ring's index.
pub fn used_index() -> u16 {
    // SAFETY: the used ring's page: flags, index.
    unsafe { ptr::read_volatile((used() as *const u16).add(1)) }
}
