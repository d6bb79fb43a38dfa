//! Intel's extended page tables (SDM vol. 3, 29.3; tables 29-1 to 29-7).

use super::{FRAME_MASK, Format, x86};
use crate::{Access, MemoryType, Mfn, Size, address::FRAME_SHIFT, geometry};

const READ: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const EXECUTE: u64 = 1 << 2;
const TYPE_SHIFT: u32 = 3;
const TYPE: u64 = 7 << TYPE_SHIFT;
const POINTER_TRACKING: u64 = 1 << 6;

/// Extended page tables with accessed and dirty flags (bits 8 and 9; a processor without them
/// is not supported). Bit 6 (ignore PAT) stays clear: the guest's PAT refines the memory type.
#[derive(Clone, Copy, Debug)]
pub struct Ept;

impl Ept {
    /// The EPT pointer of a tree (SDM vol. 3, table 25-9): write-back walks, `levels`, and
    /// accessed and dirty flags on. `None` if the root or the levels do not fit.
    #[must_use]
    pub const fn pointer(root: Mfn, levels: u8) -> Option<u64> {
        if !root.is_valid() || levels < geometry::MIN_LEVELS || levels > geometry::MAX_LEVELS {
            return None;
        }
        Some(root.0 << FRAME_SHIFT | POINTER_TRACKING | ((levels as u64 - 1) << 3) | MemoryType::WriteBack as u64)
    }

    const fn rights(access: Access) -> u64 {
        access.read as u64 * READ + access.write as u64 * WRITE + access.execute as u64 * EXECUTE
    }
}

impl Format for Ept {
    const NAME: &'static str = "EPT";
    const MAX_LEVELS: u8 = 5;
    const ACCESSED: u64 = 1 << 8;
    const DIRTY: u64 = 1 << 9;

    fn is_present(entry: u64) -> bool {
        entry & (READ | WRITE | EXECUTE) != 0
    }

    fn table(frame: Mfn) -> u64 {
        (frame.0 << FRAME_SHIFT) & FRAME_MASK | READ | WRITE | EXECUTE
    }

    fn leaf(frame: Mfn, size: Size, access: Access, memory_type: MemoryType) -> u64 {
        let leaf = if size == Size::Small { 0 } else { x86::LEAF };
        (frame.0 << FRAME_SHIFT) & FRAME_MASK | leaf | (memory_type as u64) << TYPE_SHIFT | Self::rights(access)
    }

    fn access(entry: u64) -> Access {
        Access { read: entry & READ != 0, write: entry & WRITE != 0, execute: entry & EXECUTE != 0 }
    }

    fn with_access(entry: u64, access: Access) -> u64 {
        entry & !(READ | WRITE | EXECUTE) | Self::rights(access)
    }

    fn memory_type(entry: u64, _size: Size) -> Option<MemoryType> {
        let value = (entry & TYPE) >> TYPE_SHIFT;
        MemoryType::ALL.into_iter().find(|&known| known as u64 == value)
    }
}
