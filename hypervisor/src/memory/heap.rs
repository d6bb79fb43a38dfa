//! The heap: for what is created with a domain, and for what is live of a guest's requests, up to what the
//! guest was promised ([`crate::guest`]). All promises together are less than the heap, so that none fails.

use super::direct;
use crate::cpu::lock::{Level, Lock};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};
use linked_list_allocator::Heap;

/// Bytes of the heap, without [`super::pool`]'s list of chunks.
const BASE: u64 = 10 << 20;
/// What domains may be promised of it; the rest is for the decoder's tables, dom0 and fragments.
pub const FOR_DOMAINS: usize = 8 << 20;

/// Bytes of the heap of a machine whose RAM ends at `top`.
pub const fn size(top: u64) -> u64 {
    BASE + super::pool::list_size(top).next_multiple_of(4096)
}

struct Allocator(Lock<Heap>);

#[global_allocator]
static HEAP: Allocator = Allocator(Lock::new(Level::Heap, Heap::empty()));

/// Makes `size` bytes of physical memory at `start` the heap. Once.
pub fn init(start: u64, size: u64) {
    // SAFETY: the caller reserved the range for the heap alone, and it is mapped.
    unsafe { HEAP.0.lock().init(direct::pointer(start), size as usize) };
}

// SAFETY: delegates to linked_list_allocator under a lock.
unsafe impl GlobalAlloc for Allocator {
    // SAFETY: the trait's contract; no more is asked of the caller.
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.lock().allocate_first_fit(layout).map_or(null_mut(), NonNull::as_ptr)
    }
    // SAFETY: the trait's contract: the pointer is one of `alloc`'s, with its layout.
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(pointer) = NonNull::new(pointer) else { return };
        // SAFETY: the pointer came from `alloc` with this layout, by GlobalAlloc's contract.
        unsafe { self.0.lock().deallocate(pointer, layout) };
    }
}
