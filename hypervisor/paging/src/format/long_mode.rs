//! The hypervisor's own map: long mode, supervisor only (SDM vol. 3, 4.5.4; APM vol. 2, 5.3).

use super::{Format, x86};
use crate::{Access, Gfn, MemoryType, Mfn, Size, address::FRAME_SHIFT, geometry};

/// Long-mode tables for the hypervisor itself. USER is never set, so that with SMEP and SMAP on a
/// guest's user address can never be mistaken for one of ours.
#[derive(Clone, Copy, Debug)]
pub struct LongMode;

impl LongMode {
    /// The page that a tree of `levels` knows the virtual address by: its number without the sign
    /// extension. `None` if the address is not canonical.
    #[must_use]
    pub const fn page(address: u64, levels: u8) -> Option<Gfn> {
        if levels < geometry::MIN_LEVELS || levels > geometry::MAX_LEVELS {
            return None;
        }
        let bits = FRAME_SHIFT + geometry::TABLE_SHIFT * levels as u32;
        let top = address >> (bits - 1);
        if top != 0 && top != u64::MAX >> (bits - 1) {
            return None;
        }
        Some(Gfn((address & ((1 << bits) - 1)) >> FRAME_SHIFT))
    }
}

impl Format for LongMode {
    const NAME: &'static str = "long mode";
    const MAX_LEVELS: u8 = 5;
    const ACCESSED: u64 = x86::ACCESSED;
    const DIRTY: u64 = x86::DIRTY;

    fn is_present(entry: u64) -> bool {
        entry & x86::PRESENT != 0
    }

    fn table(frame: Mfn) -> u64 {
        (frame.0 << FRAME_SHIFT) & super::FRAME_MASK | x86::PRESENT | x86::WRITE
    }

    fn leaf(frame: Mfn, size: Size, access: Access, memory_type: MemoryType) -> u64 {
        x86::leaf(frame, size, access, memory_type)
    }

    fn access(entry: u64) -> Access {
        x86::access(entry)
    }

    fn with_access(entry: u64, access: Access) -> u64 {
        x86::with_access(entry, access)
    }

    fn memory_type(entry: u64, size: Size) -> Option<MemoryType> {
        x86::memory_type(entry, size)
    }
}
