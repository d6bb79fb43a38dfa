//! How a guest translates, read from its registers.

use crate::{Gpa, format::FRAME_MASK};
use core::fmt;

const CR0_WP: u64 = 1 << 16;
const CR0_PG: u64 = 1 << 31;
const CR4_LA57: u64 = 1 << 12;
const CR4_SMEP: u64 = 1 << 20;
const CR4_SMAP: u64 = 1 << 21;
const EFER_LMA: u64 = 1 << 10;
const EFER_NXE: u64 = 1 << 11;

/// The registers of a vCPU that decide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registers {
    /// CR0.
    pub cr0: u64,
    /// CR3.
    pub cr3: u64,
    /// CR4.
    pub cr4: u64,
    /// EFER.
    pub efer: u64,
    /// Width of a physical address that the guest was told (CPUID 8000_0008h, EAX bits 7:0).
    pub physical_bits: u8,
}

/// How a guest translates.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Paging is off: linear is physical, 32 bits.
    Off,
    /// Long mode.
    Long {
        /// The root table.
        root: Gpa,
        /// 4 or 5.
        levels: u8,
        /// EFER.NXE.
        no_execute: bool,
        /// CR0.WP.
        write_protect: bool,
        /// CR4.SMEP.
        smep: bool,
        /// CR4.SMAP.
        smap: bool,
        /// Bits of an entry that must be zero because they are above the physical width.
        reserved: u64,
    },
}

/// 32-bit or PAE paging: no guest of ours needs it once it runs C code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the guest uses 32-bit or PAE paging, which the walker does not read")
    }
}

impl core::error::Error for Unsupported {}

impl Mode {
    /// What the registers say.
    ///
    /// # Errors
    /// The guest pages, but not in long mode.
    pub const fn new(registers: Registers) -> Result<Self, Unsupported> {
        if registers.cr0 & CR0_PG == 0 {
            return Ok(Self::Off);
        }
        if registers.efer & EFER_LMA == 0 {
            return Err(Unsupported);
        }
        let bits = if registers.physical_bits < 52 { registers.physical_bits } else { 52 };
        Ok(Self::Long {
            root: Gpa(registers.cr3 & FRAME_MASK),
            levels: if registers.cr4 & CR4_LA57 == 0 { 4 } else { 5 },
            no_execute: registers.efer & EFER_NXE != 0,
            write_protect: registers.cr0 & CR0_WP != 0,
            smep: registers.cr4 & CR4_SMEP != 0,
            smap: registers.cr4 & CR4_SMAP != 0,
            reserved: FRAME_MASK & !((1 << bits) - 1),
        })
    }
}
