//! Linux bzImage, by the 64-bit boot protocol (Linux, Documentation/arch/x86/boot.rst).
//!
//! Loaded at `pref_address`, where the kernel would move itself anyway; entered 0x200 bytes
//! further on. The compressed kernel carries no checksum that survives signing, so what is checked
//! is the header's consistency, the file's length and the payload's first bytes.

use super::error::{KernelError, require};
use super::header::{BOOT_FLAG, LOADED_HIGH, MAGIC, SETUP_HEADER, SetupHeader, XLF_KERNEL_64};
use crate::layout;
use crate::source::Source;
use abi::PAGE_SIZE;
use abi::platform::LOW_RAM_END;
use std::ops::Range;
use zerocopy::{FromZeros, IntoBytes};

/// A bzImage whose header was checked.
#[derive(Clone, Debug)]
pub struct BzImage {
    /// The header as it goes into `boot_params`: bytes beyond its own end are zero.
    pub header: SetupHeader,
    /// Where in the file the protected-mode part is.
    pub offset: u64,
    /// Its bytes.
    pub len: u64,
    /// From the load address on: what the kernel needs to unpack itself.
    pub window: Range<u64>,
    /// Where the initial file system must end.
    pub initrd_end: u64,
    /// Longest command line, without its zero.
    pub cmdline_max: u64,
}

/// Distance of the 64-bit entry from the load address.
pub const ENTRY64: u64 = 0x200;

const SECTOR: u64 = 512;
const OLDEST: u16 = 0x20c;
/// First bytes of what compresses a kernel: gzip, bzip2, LZMA, XZ, LZO, LZ4 (legacy), Zstandard; and ELF, not compressed.
const PAYLOADS: [&[u8]; 8] = [
    &[0x1f, 0x8b],
    b"BZh",
    &[0x5d, 0, 0],
    &[0xfd, b'7', b'z', b'X', b'Z', 0],
    &[0x89, b'L', b'Z', b'O'],
    &[0x02, 0x21, 0x4c, 0x18],
    &[0x28, 0xb5, 0x2f, 0xfd],
    &elf::abi::ELFMAGIC,
];

impl BzImage {
    /// Reads and checks the header.
    ///
    /// # Errors
    /// Names the field.
    pub fn read(file: &dyn Source) -> Result<Self, KernelError> {
        let header = read_header(file)?;
        let sectors = u64::from(if header.setup_sects == 0 { 4 } else { header.setup_sects });
        let offset = (sectors + 1) * SECTOR;
        let len = u64::from(header.syssize.get()) * 16;
        require(len > ENTRY64, "syssize", header.syssize.get().into(), "the kernel must have a 64-bit entry")?;
        if offset + len > file.size() {
            return Err(KernelError::Cut { needed: offset + len, size: file.size() });
        }
        check_payload(file, &header, offset, len)?;
        Ok(Self {
            header,
            offset,
            len,
            window: window(&header, len)?,
            initrd_end: initrd_end(&header)?,
            cmdline_max: cmdline_max(&header),
        })
    }
}

fn read_header(file: &dyn Source) -> Result<SetupHeader, KernelError> {
    let mut header = SetupHeader::new_zeroed();
    if file.size() < SETUP_HEADER + size_of::<SetupHeader>() as u64 {
        return Err(KernelError::NotAKernel);
    }
    file.read_at(SETUP_HEADER, header.as_mut_bytes())?;
    if header.boot_flag.get() != BOOT_FLAG || header.header != MAGIC {
        return Err(KernelError::NotAKernel);
    }
    if header.version.get() < OLDEST {
        return Err(KernelError::Unsupported("its boot protocol is older than 2.12"));
    }
    if header.loadflags & LOADED_HIGH == 0 {
        return Err(KernelError::Unsupported("it is a zImage, loaded low"));
    }
    if header.xloadflags.get() & XLF_KERNEL_64 == 0 {
        return Err(KernelError::Unsupported("it has no 64-bit entry"));
    }
    let end = 0x202 + u64::from(header.jump[1]);
    require(header.jump[0] == 0xeb, "jump", header.jump[0].into(), "it must be a short jump")?;
    require(end >= 0x264, "jump", header.jump[1].into(), "the header must reach to init_size")?;
    let own = usize::try_from(end - SETUP_HEADER).unwrap_or(usize::MAX);
    if let Some(beyond) = header.as_mut_bytes().get_mut(own..) {
        beyond.fill(0);
    }
    Ok(header)
}

fn check_payload(file: &dyn Source, header: &SetupHeader, offset: u64, len: u64) -> Result<(), KernelError> {
    let (start, bytes) = (u64::from(header.payload_offset.get()), u64::from(header.payload_length.get()));
    require(start < len, "payload_offset", start, "the payload must lie inside the kernel")?;
    require((8..=len - start).contains(&bytes), "payload_length", bytes, "the payload must lie inside the kernel")?;
    let mut first = [0; 8];
    file.read_at(offset + start, &mut first)?;
    let known = PAYLOADS.iter().any(|magic| first.starts_with(magic));
    require(known, "the payload's first bytes", u64::from_be_bytes(first), "they must be of a known compression")
}

fn window(header: &SetupHeader, len: u64) -> Result<Range<u64>, KernelError> {
    let align = u64::from(header.kernel_alignment.get());
    let fits = align.is_power_of_two() && (PAGE_SIZE..=1 << 30).contains(&align);
    require(fits, "kernel_alignment", align, "it must be a power of two from 4 KiB to 1 GiB")?;
    let load = header.pref_address.get();
    let fits = load.is_multiple_of(align) && (layout::KERNEL_MIN..LOW_RAM_END).contains(&load);
    require(fits, "pref_address", load, "it must be aligned and lie between 1 MiB and 3 GiB")?;
    let init = u64::from(header.init_size.get());
    require(init >= len, "init_size", init, "it must be no less than the kernel's size")?;
    Ok(load..load + init)
}

fn initrd_end(header: &SetupHeader) -> Result<u64, KernelError> {
    let max = u64::from(header.initrd_addr_max.get());
    require(max > layout::KERNEL_MIN, "initrd_addr_max", max, "it must be above 1 MiB")?;
    Ok((max + 1).min(LOW_RAM_END))
}

fn cmdline_max(header: &SetupHeader) -> u64 {
    match header.cmdline_size.get() {
        0 => 255,
        size => u64::from(size).min(layout::CMDLINE_MAX - 1),
    }
}
