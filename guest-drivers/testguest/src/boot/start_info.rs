//! `hvm_start_info`, version 1 (Xen public/arch-x86/hvm/start_info.h).

use core::ptr;

/// "xEn3".
const MAGIC: u32 = 0x336e_c578;
/// Type of a memory map entry: RAM (as in ACPI).
const RAM: u32 = 1;

#[derive(Clone, Copy)]
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_map_entries: u32,
    reserved: u32,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct MapEntry {
    address: u64,
    size: u64,
    kind: u32,
    reserved: u32,
}

/// What the loader told.
pub struct Info {
    /// Address of a C string, or 0.
    pub command_line: u64,
    entries: u64,
    count: u32,
}

/// Reads the structure at `address`; an empty one if it is none.
pub fn read(address: u64) -> Info {
    // SAFETY: the loader's structure is in RAM, below 4 GiB, mapped one to one; any bytes are a StartInfo.
    let info = unsafe { ptr::read_unaligned(address as *const StartInfo) };
    if info.magic != MAGIC {
        return Info { command_line: 0, entries: 0, count: 0 };
    }
    let count = if info.version >= 1 { info.memory_map_entries.min(128) } else { 0 };
    Info { command_line: info.command_line, entries: info.memory_map, count }
}

impl Info {
    /// Start and size of each piece of RAM.
    pub fn ram(&self) -> impl Iterator<Item = (u64, u64)> {
        let entries = self.entries as *const MapEntry;
        (0..self.count as usize)
            // SAFETY: the loader's table has `count` entries, in RAM, mapped one to one; any bytes are a MapEntry.
            .map(move |n| unsafe { ptr::read_unaligned(entries.add(n)) })
            .filter(|entry| entry.kind == RAM)
            .map(|entry| (entry.address, entry.size))
    }
}
