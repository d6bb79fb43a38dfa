//! Bits of the long-mode format (SDM vol. 3, 4.5.4; APM vol. 2, 5.3), which NPT shares.

use super::FRAME_MASK;
use crate::{Access, MemoryType, Mfn, Size, address::FRAME_SHIFT};

pub(crate) const PRESENT: u64 = 1 << 0;
pub(crate) const WRITE: u64 = 1 << 1;
pub(crate) const USER: u64 = 1 << 2;
const WRITE_THROUGH: u64 = 1 << 3;
const CACHE_DISABLE: u64 = 1 << 4;
pub(crate) const ACCESSED: u64 = 1 << 5;
pub(crate) const DIRTY: u64 = 1 << 6;
/// Above level 0: a leaf. The same bit in EPT entries.
pub(crate) const LEAF: u64 = 1 << 7;
const PAT_SMALL: u64 = 1 << 7;
const PAT_LARGE: u64 = 1 << 12;
pub(crate) const NO_EXECUTE: u64 = 1 << 63;

/// The IA32_PAT value that [`super::Npt`] and [`super::LongMode`] leaves are written for: the
/// one after reset, but entry 4 is write-protected and entry 5 write-combining. The hypervisor
/// loads it on every CPU before it uses such a tree.
pub const PAT: u64 = 0x0007_0105_0007_0406;

const fn pat_index(memory_type: MemoryType) -> u64 {
    match memory_type {
        MemoryType::WriteBack => 0,
        MemoryType::WriteThrough => 1,
        MemoryType::Uncacheable => 3,
        MemoryType::WriteProtected => 4,
        MemoryType::WriteCombining => 5,
    }
}

const _: () = {
    let mut n = 0;
    while n < MemoryType::ALL.len() {
        let memory_type = MemoryType::ALL[n];
        assert!((PAT >> (8 * pat_index(memory_type))) & 0xff == memory_type as u64);
        n += 1;
    }
};

const fn pat_bit(size: Size) -> u64 {
    match size {
        Size::Small => PAT_SMALL,
        Size::Large | Size::Huge => PAT_LARGE,
    }
}

const fn rights(access: Access) -> u64 {
    access.read as u64 * PRESENT + access.write as u64 * WRITE + !access.execute as u64 * NO_EXECUTE
}

pub(crate) fn leaf(frame: Mfn, size: Size, access: Access, memory_type: MemoryType) -> u64 {
    let index = pat_index(memory_type);
    let mut entry = (frame.0 << FRAME_SHIFT) & FRAME_MASK | rights(access);
    if size != Size::Small {
        entry |= LEAF;
    }
    if index & 1 != 0 {
        entry |= WRITE_THROUGH;
    }
    if index & 2 != 0 {
        entry |= CACHE_DISABLE;
    }
    if index & 4 != 0 {
        entry |= pat_bit(size);
    }
    entry
}

pub(crate) fn access(entry: u64) -> Access {
    Access { read: entry & PRESENT != 0, write: entry & WRITE != 0, execute: entry & NO_EXECUTE == 0 }
}

pub(crate) fn with_access(entry: u64, access: Access) -> u64 {
    entry & !(PRESENT | WRITE | NO_EXECUTE) | rights(access)
}

pub(crate) fn memory_type(entry: u64, size: Size) -> Option<MemoryType> {
    let index = u64::from(entry & WRITE_THROUGH != 0)
        | u64::from(entry & CACHE_DISABLE != 0) << 1
        | u64::from(entry & pat_bit(size) != 0) << 2;
    MemoryType::ALL.into_iter().find(|&known| pat_index(known) == index)
}
