//! The heap: for what is created with a domain, never for what a guest can make grow.

use super::direct;
use crate::cpu::lock::{Level, Lock};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};
use linked_list_allocator::Heap;

/// Bytes of the heap.
pub const SIZE: u64 = 8 << 20;

struct Allocator(Lock<Heap>);

#[global_allocator]
static HEAP: Allocator = Allocator(Lock::new(Level::Heap, Heap::empty()));

/// Makes `SIZE` bytes of physical memory at `start` the heap. Once.
pub fn init(start: u64) {
    // SAFETY: the caller reserved the range for the heap alone, and it is mapped.
    unsafe { HEAP.0.lock().init(direct::pointer(start), SIZE as usize) };
}

// SAFETY: delegates to linked_list_allocator under a lock.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.lock().allocate_first_fit(layout).map_or(null_mut(), NonNull::as_ptr)
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(pointer) = NonNull::new(pointer) else { return };
        // SAFETY: the pointer came from `alloc` with this layout, by GlobalAlloc's contract.
        unsafe { self.0.lock().deallocate(pointer, layout) };
    }
}
