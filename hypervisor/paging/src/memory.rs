//! The memory that holds the tables, as the engine needs it.

use crate::Mfn;

/// Frames of 512 words of 64 bits, shared with the processors that walk them.
///
/// In the hypervisor this is the frame allocator and the direct map; in tests a map from frame
/// numbers to arrays. `table` is always a frame that [`Memory::allocate`] gave (or a root that the
/// tree was told of) and that was not freed since; `index` is always below 512.
pub trait Memory {
    /// A frame of zeroes that nobody else uses; `None` if there is none now.
    fn allocate(&self) -> Option<Mfn>;

    /// Takes back a frame that [`Memory::allocate`] gave. No processor can reach it any more.
    fn free(&self, table: Mfn);

    /// One word, with acquire ordering.
    fn read(&self, table: Mfn, index: usize) -> u64;

    /// Stores one word, with release ordering. Used only on tables that no processor can reach
    /// yet, and on entries that hardware does not write.
    fn write(&self, table: Mfn, index: usize, value: u64);

    /// Stores `new` if the word is `old`, as one locked operation.
    ///
    /// # Errors
    /// The word that is there, if it is not `old`.
    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64>;
}

impl<M: Memory + ?Sized> Memory for &M {
    fn allocate(&self) -> Option<Mfn> {
        (**self).allocate()
    }
    fn free(&self, table: Mfn) {
        (**self).free(table);
    }
    fn read(&self, table: Mfn, index: usize) -> u64 {
        (**self).read(table, index)
    }
    fn write(&self, table: Mfn, index: usize, value: u64) {
        (**self).write(table, index, value);
    }
    fn compare_exchange(&self, table: Mfn, index: usize, old: u64, new: u64) -> Result<u64, u64> {
        (**self).compare_exchange(table, index, old, new)
    }
}
