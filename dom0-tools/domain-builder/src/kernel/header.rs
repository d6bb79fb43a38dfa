//! The Linux setup header and `boot_params` (Linux, Documentation/arch/x86/boot.rst and
//! zero-page.rst). Kept here rather than taken from a crate because safe conversion from and to
//! bytes needs derives on the type itself.

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Offset of the setup header in a bzImage and in `boot_params`.
pub const SETUP_HEADER: u64 = 0x1f1;

/// `struct setup_header` of protocol 2.15. Field names are Linux's.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
#[allow(missing_docs)]
pub struct SetupHeader {
    pub setup_sects: u8,
    pub root_flags: U16,
    pub syssize: U32,
    pub ram_size: U16,
    pub vid_mode: U16,
    pub root_dev: U16,
    pub boot_flag: U16,
    /// A short jump: its second byte is the distance from 0x202 to the end of the header.
    pub jump: [u8; 2],
    pub header: [u8; 4],
    pub version: U16,
    pub realmode_swtch: U32,
    pub start_sys_seg: U16,
    pub kernel_version: U16,
    pub type_of_loader: u8,
    pub loadflags: u8,
    pub setup_move_size: U16,
    pub code32_start: U32,
    pub ramdisk_image: U32,
    pub ramdisk_size: U32,
    pub bootsect_kludge: U32,
    pub heap_end_ptr: U16,
    pub ext_loader_ver: u8,
    pub ext_loader_type: u8,
    pub cmd_line_ptr: U32,
    pub initrd_addr_max: U32,
    pub kernel_alignment: U32,
    pub relocatable_kernel: u8,
    pub min_alignment: u8,
    pub xloadflags: U16,
    pub cmdline_size: U32,
    pub hardware_subarch: U32,
    pub hardware_subarch_data: U64,
    pub payload_offset: U32,
    pub payload_length: U32,
    pub setup_data: U64,
    pub pref_address: U64,
    pub init_size: U32,
    pub handover_offset: U32,
    pub kernel_info_offset: U32,
}

/// `loadflags`: the protected-mode code is loaded at 1 MiB or above.
pub const LOADED_HIGH: u8 = 1;
/// `xloadflags`: there is a 64-bit entry at 0x200.
pub const XLF_KERNEL_64: u16 = 1;
/// `boot_flag`.
pub const BOOT_FLAG: u16 = 0xaa55;
/// `header`.
pub const MAGIC: [u8; 4] = *b"HdrS";
/// `type_of_loader` of a loader without an assigned number.
pub const LOADER_UNDEFINED: u8 = 0xff;

/// `struct boot_e820_entry`.
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
#[allow(missing_docs)]
pub struct E820Entry {
    pub addr: U64,
    pub size: U64,
    pub kind: U32,
}

/// `struct boot_params`, with the fields that are not ours left out as reserved bytes.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
#[allow(missing_docs)]
pub struct BootParams {
    pub reserved_000: [u8; 0x70],
    pub acpi_rsdp_addr: U64,
    pub reserved_078: [u8; 0x48],
    pub ext_ramdisk_image: U32,
    pub ext_ramdisk_size: U32,
    pub ext_cmd_line_ptr: U32,
    pub reserved_0cc: [u8; 0x11c],
    pub e820_entries: u8,
    pub reserved_1e9: [u8; 8],
    pub hdr: SetupHeader,
    pub reserved_26c: [u8; 0x64],
    pub e820_table: [E820Entry; 128],
    pub reserved_cd0: [u8; 0x330],
}

const _: () = assert!(size_of::<SetupHeader>() == 0x26c - 0x1f1);
const _: () = assert!(size_of::<BootParams>() == 4096);
const _: () = assert!(std::mem::offset_of!(SetupHeader, init_size) == 0x260 - 0x1f1);
const _: () = assert!(std::mem::offset_of!(SetupHeader, xloadflags) == 0x236 - 0x1f1);
const _: () = assert!(std::mem::offset_of!(BootParams, e820_entries) == 0x1e8);
const _: () = assert!(std::mem::offset_of!(BootParams, hdr) == 0x1f1);
const _: () = assert!(std::mem::offset_of!(BootParams, e820_table) == 0x2d0);
