//! A shared mapping of memory that another party writes: accessed by offset, never as a reference,
//! but for [`Mapping::slice`] and [`Mapping::slice_mut`], whose callers own the range.

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// A mapped file, unmapped on drop. All ranges are checked; a range outside is our own mistake
/// and panics.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    len: usize,
}

impl Mapping {
    /// Maps `len` bytes of `file` from `offset`, shared and writable, and touches nothing.
    ///
    /// # Errors
    /// What mmap says.
    pub fn new(file: impl AsFd, offset: u64, len: usize) -> std::io::Result<Self> {
        // SAFETY: a fresh mapping at an address of the kernel's choice aliases no Rust object.
        let base = unsafe {
            mmap(std::ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, offset)?
        };
        let base = NonNull::new(base.cast()).ok_or(std::io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }

    /// Anonymous memory with the same interface, for tests and models.
    ///
    /// # Errors
    /// What mmap says.
    pub fn anonymous(len: usize) -> std::io::Result<Self> {
        // SAFETY: as in `new`.
        let base = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED)?
        };
        let base = NonNull::new(base.cast()).ok_or(std::io::ErrorKind::OutOfMemory)?;
        Ok(Self { base, len })
    }

    /// Length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if nothing is mapped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address that the process sees for `offset`, as a number (for pagemap).
    #[must_use]
    pub fn address(&self, offset: usize) -> usize {
        self.at(offset, 1, 1).addr().get()
    }

    /// Loads a 32-bit word that the other side stores.
    #[must_use]
    pub fn load(&self, offset: usize, order: Ordering) -> u32 {
        let word = self.at(offset, 4, 4).cast::<AtomicU32>();
        // SAFETY: `at` checked range and alignment; the mapping lives as long as `self`; the
        // other side's accesses are seen as atomic.
        unsafe { word.as_ref() }.load(order)
    }

    /// Stores a 32-bit word that the other side loads.
    pub fn store(&self, offset: usize, value: u32, order: Ordering) {
        let word = self.at(offset, 4, 4).cast::<AtomicU32>();
        // SAFETY: as in `load`.
        unsafe { word.as_ref() }.store(value, order);
    }

    /// Copies a structure out, word by word.
    #[must_use]
    pub fn read<T: FromBytes + IntoBytes + Immutable>(&self, offset: usize) -> T {
        let mut value = T::new_zeroed();
        self.copy_out(offset, value.as_mut_bytes());
        value
    }

    /// Copies a structure in, word by word.
    pub fn write<T: IntoBytes + Immutable>(&self, offset: usize, value: &T) {
        self.copy_in(offset, value.as_bytes());
    }

    /// Copies bytes out; `offset` and length must be multiples of 8.
    pub fn copy_out(&self, offset: usize, into: &mut [u8]) {
        for (i, chunk) in into.chunks_exact_mut(8).enumerate() {
            let word = self.at(offset + i * 8, 8, 8).cast::<AtomicU64>();
            // SAFETY: as in `load`.
            chunk.copy_from_slice(&unsafe { word.as_ref() }.load(Ordering::Relaxed).to_ne_bytes());
        }
    }

    /// Copies bytes in; `offset` and length must be multiples of 8.
    pub fn copy_in(&self, offset: usize, from: &[u8]) {
        for (i, chunk) in from.as_chunks::<8>().0.iter().enumerate() {
            let word = self.at(offset + i * 8, 8, 8).cast::<AtomicU64>();
            // SAFETY: as in `load`.
            unsafe { word.as_ref() }.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
        }
    }

    /// Orders everything before against everything after, as seen by the other side.
    pub fn fence() {
        fence(Ordering::SeqCst);
    }

    /// The bytes of a range.
    ///
    /// # Safety
    /// Nobody may write the range while the slice lives.
    #[must_use]
    pub unsafe fn slice(&self, offset: usize, len: usize) -> &[u8] {
        let base = self.at(offset, len, 1);
        // SAFETY: `at` checked the range; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts(base.as_ptr(), len) }
    }

    /// The bytes of a range, to change.
    ///
    /// # Safety
    /// Nobody else may read or write the range while the slice lives.
    #[must_use]
    #[expect(clippy::mut_from_ref, reason = "exclusive by the caller's ownership of the range")]
    pub unsafe fn slice_mut(&self, offset: usize, len: usize) -> &mut [u8] {
        let base = self.at(offset, len, 1);
        // SAFETY: `at` checked the range; the caller vouches for the rest.
        unsafe { std::slice::from_raw_parts_mut(base.as_ptr(), len) }
    }

    fn at(&self, offset: usize, len: usize, align: usize) -> NonNull<u8> {
        let end = offset.checked_add(len);
        assert!(end.is_some_and(|end| end <= self.len) && offset.is_multiple_of(align), "outside of the mapping");
        // SAFETY: just checked to lie inside the mapping.
        unsafe { self.base.add(offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and nothing borrows it any more. A failure leaks it, no more.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}
