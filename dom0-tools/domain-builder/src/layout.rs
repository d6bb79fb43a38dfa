//! Guest-physical memory: what is where before the first instruction.
//!
//! | from | to | what |
//! |---|---|---|
//! | 0x6000 | 0x7000 | PVH start info, module list, memory map |
//! | 0x7000 | 0x8000 | Linux `boot_params` |
//! | 0x8000 | 0x9000 | stack |
//! | 0x9000 | 0xf000 | page tables: low 4 GiB one to one |
//! | 0x20000 | 0x30000 | kernel command line |
//! | 0x9fc00 | 0x100000 | reserved (memory, but not for the guest's allocator) |
//! | 0xe0000 | 0xff000 | of that: ACPI tables, the RSDP first |
//! | 0xffff0 | 0x100000 | and the reset vector of real mode |
//! | 0x100000 | [`LOW_RAM_END`] | memory: kernel, and the initial file system as high as it goes |
//! | [`HIGH_RAM`] | | the rest of the memory |

use abi::platform::{HIGH_RAM, LOW_RAM_END};

/// PVH `hvm_start_info` and what it points to; one page.
pub const START_INFO: u64 = 0x6000;
/// Linux `boot_params`; one page.
pub const BOOT_PARAMS: u64 = 0x7000;
/// Top of the stack (it grows down into one page).
pub const STACK_TOP: u64 = 0x9000;
/// Page-table root; the other tables follow.
pub const PAGE_TABLES: u64 = 0x9000;
/// Kernel command line, zero terminated.
pub const CMDLINE: u64 = 0x2_0000;
/// Longest command line, its zero included.
pub const CMDLINE_MAX: u64 = 0x1_0000;
/// Where the conventional memory ends.
pub const LOW_RESERVED: u64 = 0x9_fc00;
/// ACPI tables, the RSDP first (where every kernel looks for it).
pub const ACPI: u64 = 0xe_0000;
/// Room for the ACPI tables.
pub const ACPI_MAX: u64 = 0x1_f000;
/// Where real mode starts after a reset.
pub const RESET_VECTOR: u64 = 0xf_fff0;
/// Where memory for kernels begins.
pub const KERNEL_MIN: u64 = 0x10_0000;

/// A range of guest-physical addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub start: u64,
    /// Bytes.
    pub len: u64,
    /// Usable memory; else reserved.
    pub usable: bool,
}

/// The memory map of a guest with `memory` bytes (at least 1 MiB): ascending, without overlap, at
/// most 4 regions. As e820 and as PVH memory map: type 1 where usable, else 2.
#[must_use]
pub fn memory_map(memory: u64) -> Vec<Region> {
    let low_end = low_end(memory);
    let mut map = vec![
        Region { start: 0, len: LOW_RESERVED, usable: true },
        Region { start: LOW_RESERVED, len: KERNEL_MIN - LOW_RESERVED, usable: false },
    ];
    if low_end > KERNEL_MIN {
        map.push(Region { start: KERNEL_MIN, len: low_end - KERNEL_MIN, usable: true });
    }
    if memory > LOW_RAM_END {
        map.push(Region { start: HIGH_RAM, len: memory - LOW_RAM_END, usable: true });
    }
    map
}

/// End of the memory below 4 GiB.
#[must_use]
pub const fn low_end(memory: u64) -> u64 {
    if memory < LOW_RAM_END { memory } else { LOW_RAM_END }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn covers_all_memory_once(pages in 256u64..1 << 24) {
            let memory = pages * abi::PAGE_SIZE;
            let map = memory_map(memory);
            prop_assert!(map.len() <= 4);
            prop_assert_eq!(map.iter().map(|r| r.len).sum::<u64>(), memory);
            prop_assert!(map.iter().all(|r| r.len > 0));
            prop_assert!(map.windows(2).all(|w| w[0].start + w[0].len <= w[1].start));
            let hole = LOW_RAM_END..HIGH_RAM;
            prop_assert!(map.iter().all(|r| r.start + r.len <= hole.start || r.start >= hole.end));
        }
    }
}
