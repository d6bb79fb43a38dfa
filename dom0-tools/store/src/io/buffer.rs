//! Memory for I/O: aligned memory of our own, or memory that the caller lends.
//!
//! A buffer is owned by whoever may touch its bytes: the caller, then, from queueing to
//! completion, the engine and the kernel. Invariant: no two buffers overlap.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Alignment that direct I/O is happy with everywhere.
const ALIGN: usize = 4096;

/// A run of bytes.
#[derive(Debug)]
pub struct Buffer {
    base: NonNull<u8>,
    len: usize,
    own: Option<Layout>,
}

// SAFETY: a buffer is the only way to its bytes (for lent ones the lender promises that), so it
// may be used by any one thread at a time.
unsafe impl Send for Buffer {}

impl Buffer {
    /// `len` zero bytes, page-aligned. `None`: no memory, or `len` is 0.
    #[must_use]
    pub fn allocate(len: usize) -> Option<Self> {
        let layout = Layout::from_size_align(len, ALIGN).ok().filter(|l| l.size() > 0)?;
        // SAFETY: the layout's size is not 0.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        Some(Self { base, len, own: Some(layout) })
    }

    /// Memory of the caller's.
    ///
    /// # Safety
    /// From now until the buffer is dropped (it comes back with the completion), the `len` bytes
    /// at `base` must stay mapped, and nobody else may read or write them.
    #[must_use]
    pub const unsafe fn lend(base: NonNull<u8>, len: usize) -> Self {
        Self { base, len, own: None }
    }

    /// Bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True if there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        // SAFETY: mapped, initialised, and exclusively ours as long as the buffer lives.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.len) }
    }

    /// The bytes, to change.
    #[must_use]
    pub const fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `bytes`, and borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.len) }
    }

    /// Where the bytes are, for the kernel.
    pub(crate) const fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// True if direct I/O with blocks of `align` bytes can use it.
    pub(crate) fn aligned(&self, align: usize) -> bool {
        self.base.as_ptr().addr().is_multiple_of(align) && self.len.is_multiple_of(align)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(layout) = self.own {
            // SAFETY: allocated in `allocate` with this layout, and nobody else has it.
            unsafe { dealloc(self.base.as_ptr(), layout) }
        }
    }
}
