//! Boot data of a PVH kernel: `hvm_start_info` version 1 (Xen, public/arch-x86/hvm/start_info.h).

use super::BuildError;
use super::sparse::Sparse;
use crate::kernel::Pvh;
use crate::layout::{self, Region};
use abi::domain::{BootState, boot_mode};
use std::ops::Range;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{Immutable, IntoBytes};

const MAGIC: u32 = 0x336e_c578;

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct StartInfo {
    magic: U32,
    version: U32,
    flags: U32,
    nr_modules: U32,
    modlist_paddr: U64,
    cmdline_paddr: U64,
    rsdp_paddr: U64,
    memmap_paddr: U64,
    memmap_entries: U32,
    reserved: U32,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Module {
    paddr: U64,
    size: U64,
    cmdline_paddr: U64,
    reserved: U64,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct MapEntry {
    addr: U64,
    size: U64,
    kind: U32,
    reserved: U32,
}

const _: () = assert!(size_of::<StartInfo>() == 56 && size_of::<Module>() == 32 && size_of::<MapEntry>() == 24);

/// Adds the boot data and gives the state of vCPU 0.
pub(super) fn add(
    image: &mut Sparse,
    kernel: &Pvh,
    map: &[Region],
    initrd: Option<&Range<u64>>,
) -> Result<BootState, BuildError> {
    let modules = layout::START_INFO + size_of::<StartInfo>() as u64;
    let memory_map = modules + size_of::<Module>() as u64;
    let info = StartInfo {
        magic: MAGIC.into(),
        version: 1.into(),
        flags: 0.into(),
        nr_modules: u32::from(initrd.is_some()).into(),
        modlist_paddr: if initrd.is_some() { modules } else { 0 }.into(),
        cmdline_paddr: layout::CMDLINE.into(),
        rsdp_paddr: layout::ACPI.into(),
        memmap_paddr: memory_map.into(),
        memmap_entries: u32::try_from(map.len()).unwrap_or(0).into(),
        reserved: 0.into(),
    };
    let (paddr, size) = initrd.map_or((0, 0), |initrd| (initrd.start, initrd.end - initrd.start));
    let module = Module { paddr: paddr.into(), size: size.into(), cmdline_paddr: 0.into(), reserved: 0.into() };
    let mut bytes = [info.as_bytes(), module.as_bytes()].concat();
    for region in map {
        let kind = if region.usable { 1 } else { 2 };
        let entry =
            MapEntry { addr: region.start.into(), size: region.len.into(), kind: kind.into(), reserved: 0.into() };
        bytes.extend_from_slice(entry.as_bytes());
    }
    image.add_bytes("the start info", layout::START_INFO, bytes)?;
    Ok(BootState { mode: boot_mode::PROTECTED32, rip: kernel.entry, rbx: layout::START_INFO, ..BootState::default() })
}
