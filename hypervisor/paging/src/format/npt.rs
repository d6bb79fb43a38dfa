//! AMD's nested page tables (APM vol. 2, 15.25.5): the host's long-mode format.

use super::{Format, x86};
use crate::{Access, MemoryType, Mfn, Size, address::FRAME_SHIFT};

/// Nested page tables. Every guest access counts as a user access at the nested level (APM vol.
/// 2, 15.25.5), so USER is set in every entry; no-execute needs EFER.NXE in the host.
#[derive(Clone, Copy, Debug)]
pub struct Npt;

impl Format for Npt {
    const NAME: &'static str = "NPT";
    const MAX_LEVELS: u8 = 5;
    const ACCESSED: u64 = x86::ACCESSED;
    const DIRTY: u64 = x86::DIRTY;

    fn is_present(entry: u64) -> bool {
        entry & x86::PRESENT != 0
    }

    fn table(frame: Mfn) -> u64 {
        (frame.0 << FRAME_SHIFT) & super::FRAME_MASK | x86::PRESENT | x86::WRITE | x86::USER
    }

    fn leaf(frame: Mfn, size: Size, access: Access, memory_type: MemoryType) -> u64 {
        x86::leaf(frame, size, access, memory_type) | x86::USER
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
