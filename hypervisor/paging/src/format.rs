//! What the words of a table mean. One file a format.

mod ept;
mod long_mode;
mod npt;
pub(crate) mod x86;

pub use ept::Ept;
pub use long_mode::LongMode;
pub use npt::Npt;
pub use x86::PAT;

use crate::{Access, MemoryType, Mfn, Size, address::FRAME_SHIFT, geometry};

/// Bits of an entry that hold a frame: 51:12 in every format.
pub const FRAME_MASK: u64 = 0x000f_ffff_ffff_f000;

/// A page-table format: pure functions between words and meanings.
///
/// Absent is the word 0 and nothing else is ever stored for it.
pub trait Format: core::fmt::Debug + 'static {
    /// For messages.
    const NAME: &'static str;
    /// Deepest tree.
    const MAX_LEVELS: u8;
    /// The processor used the leaf.
    const ACCESSED: u64;
    /// The processor wrote through the leaf.
    const DIRTY: u64;
    /// Both bits that the processor sets.
    const TRACKING: u64 = Self::ACCESSED | Self::DIRTY;

    /// True if the processor would use the entry.
    fn is_present(entry: u64) -> bool;

    /// True if a present entry of a table of `level` is a leaf.
    fn is_leaf(entry: u64, level: u8) -> bool {
        level == 0 || entry & x86::LEAF != 0
    }

    /// The entry that leads to a table and restricts nothing.
    fn table(frame: Mfn) -> u64;

    /// A leaf that was neither accessed nor written. `access.read` must be set, `frame` aligned.
    fn leaf(frame: Mfn, size: Size, access: Access, memory_type: MemoryType) -> u64;

    /// A leaf's rights.
    fn access(entry: u64) -> Access;

    /// The same leaf with other rights, tracking bits as they are.
    fn with_access(entry: u64, access: Access) -> u64;

    /// A leaf's memory type; `None` for a word that this crate does not write.
    fn memory_type(entry: u64, size: Size) -> Option<MemoryType>;

    /// The frame that an entry of a table of `level` leads to or maps.
    fn frame(entry: u64, level: u8) -> Mfn {
        let frame = (entry & FRAME_MASK) >> FRAME_SHIFT;
        if Self::is_leaf(entry, level) { Mfn(frame & !(geometry::span(level) - 1)) } else { Mfn(frame) }
    }
}

/// The geometry of a format, checked when the crate is compiled.
const fn check<F: Format>() {
    assert!(F::ACCESSED.is_power_of_two() && F::DIRTY.is_power_of_two() && F::ACCESSED != F::DIRTY);
    assert!(F::TRACKING & (FRAME_MASK | x86::LEAF) == 0);
    assert!(F::MAX_LEVELS <= geometry::MAX_LEVELS && F::MAX_LEVELS >= geometry::MIN_LEVELS);
}

const _: () = {
    check::<Ept>();
    check::<Npt>();
    check::<LongMode>();
    assert!(FRAME_MASK == ((1 << crate::address::FRAME_BITS) - 1) << FRAME_SHIFT);
    assert!(FRAME_MASK & x86::LEAF == 0);
};

#[cfg(test)]
mod tests;
