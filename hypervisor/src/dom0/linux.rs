//! The Linux boot protocol, 64-bit entry (Documentation/arch/x86/boot.rst and zero-page.rst).

use crate::memory::direct;

/// What the header of a bzImage says.
#[derive(Clone, Copy, Debug)]
pub struct Kernel {
    /// Offset of the protected-mode part in the file.
    pub code: u64,
    /// Where it wants to be.
    pub preferred: u64,
    /// Bytes that it needs there while it unpacks itself.
    pub init_size: u64,
    /// Highest address that an initial RAM disk may use.
    pub initrd_max: u64,
    /// Bytes of the setup header, from offset 0x1f1.
    pub header_len: usize,
    /// Longest command line.
    pub command_line_max: u64,
}

/// Offset of the setup header in file and boot_params.
pub const HEADER: u64 = 0x1f1;

/// Reads the header of the file at physical address `file`.
pub fn read(file: u64, size: u64) -> Result<Kernel, &'static str> {
    if size < 0x1000 {
        return Err("dom0's kernel is too short to be one");
    }
    let byte = |offset: u64| {
        let mut out = [0];
        direct::read_bytes(file + offset, &mut out);
        out[0]
    };
    let word = |offset: u64, len: u64| (0..len).rev().fold(0u64, |value, n| value << 8 | u64::from(byte(offset + n)));
    if word(0x202, 4) != u64::from(u32::from_le_bytes(*b"HdrS")) {
        return Err("dom0's kernel is not a bzImage");
    }
    if word(0x206, 2) < 0x20c || word(0x236, 2) & 1 == 0 {
        return Err("dom0's kernel has no 64-bit entry (boot protocol 2.12 or newer is needed)");
    }
    let sectors = if byte(HEADER) == 0 { 4 } else { byte(HEADER) };
    let code = (u64::from(sectors) + 1) * 512;
    if code >= size {
        return Err("dom0's kernel is truncated");
    }
    Ok(Kernel {
        code,
        preferred: word(0x258, 8),
        init_size: word(0x260, 4),
        initrd_max: word(0x22c, 4),
        header_len: usize::from(byte(0x201)) + 0x202 - HEADER as usize,
        command_line_max: word(0x238, 4),
    })
}
