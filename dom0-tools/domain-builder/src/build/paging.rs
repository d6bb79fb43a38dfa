//! The page tables that a kernel starts on: the low 4 GiB one to one, in 2 MiB pages
//! (Linux boot protocol: kernel, `boot_params` and command line must be mapped; Intel SDM 3A, 4.5).

use crate::layout::PAGE_TABLES;

const PRESENT_WRITABLE: u64 = 3;
const LARGE: u64 = 1 << 7;
const TABLE: u64 = 4096;
const DIRECTORIES: u64 = 4;

/// The tables' bytes, to be put at [`PAGE_TABLES`]: root, pointers, four directories.
pub(super) fn identity() -> Vec<u8> {
    let pointers = PAGE_TABLES + TABLE;
    let directory = |n: u64| pointers + TABLE + n * TABLE;
    let table = |entries: &mut dyn Iterator<Item = u64>| {
        let mut bytes: Vec<u8> = entries.flat_map(u64::to_le_bytes).collect();
        bytes.resize(4096, 0);
        bytes
    };
    let mut bytes = table(&mut std::iter::once(pointers | PRESENT_WRITABLE));
    bytes.extend(table(&mut (0..DIRECTORIES).map(|n| directory(n) | PRESENT_WRITABLE)));
    for n in 0..DIRECTORIES {
        bytes.extend(table(&mut (0..512).map(|i| (n * 512 + i) << 21 | LARGE | PRESENT_WRITABLE)));
    }
    bytes
}
