//! The walk.

use super::Mode;
use crate::{Access, Gpa, LongMode, Size, address::FRAME_SHIFT, format::x86, geometry};
use core::fmt;

/// Page-fault error code bits (SDM vol. 3, 4.7).
const CODE_PRESENT: u32 = 1 << 0;
const CODE_WRITE: u32 = 1 << 1;
const CODE_USER: u32 = 1 << 2;
const CODE_RESERVED: u32 = 1 << 3;
const CODE_FETCH: u32 = 1 << 4;

/// What is to be done at the address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Intent {
    /// A store.
    pub write: bool,
    /// An instruction fetch.
    pub execute: bool,
    /// From user mode (CPL 3).
    pub user: bool,
    /// RFLAGS.AC is set: SMAP is lifted.
    pub access_user: bool,
}

/// Where an address leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The byte, guest-physical. An allegation: it need not be memory.
    pub gpa: Gpa,
    /// The leaf's size: the translation holds for the rest of it.
    pub size: Size,
    /// Rights, all levels taken together (`write` as for user mode).
    pub access: Access,
    /// A user page.
    pub user: bool,
}

/// The page fault that the processor would raise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageFault {
    /// Error code.
    pub code: u32,
    /// Linear address, for CR2.
    pub address: u64,
}

/// Why an address leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalkError<E> {
    /// The guest is to be given this page fault.
    Fault(PageFault),
    /// Not canonical: #GP, or #SS for the stack.
    NotCanonical,
    /// `read` could not read the entry at this address.
    Memory(Gpa, E),
}

impl<E: fmt::Display> fmt::Display for WalkError<E> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => write!(out, "page fault at {:#x}, code {:#x}", fault.address, fault.code),
            Self::NotCanonical => out.write_str("the address is not canonical"),
            Self::Memory(at, error) => write!(out, "page-table entry at {:#x}: {error}", at.0),
        }
    }
}

/// Translates `address` for `intent`. `read` gives the word at an 8-byte aligned guest-physical
/// address, and decides whether there is one.
///
/// # Errors
/// See [`WalkError`].
pub fn walk<E>(
    mode: Mode,
    address: u64,
    intent: Intent,
    mut read: impl FnMut(Gpa) -> Result<u64, E>,
) -> Result<Translation, WalkError<E>> {
    let Mode::Long { root, levels, no_execute, write_protect, smep, smap, reserved } = mode else {
        let gpa = Gpa(address & u64::from(u32::MAX));
        return Ok(Translation { gpa, size: Size::Small, access: Access::RWX, user: true });
    };
    let page = LongMode::page(address, levels).ok_or(WalkError::NotCanonical)?;
    let fetch = if intent.execute && (no_execute || smep) { CODE_FETCH } else { 0 };
    let code = if intent.write { CODE_WRITE } else { 0 } | if intent.user { CODE_USER } else { 0 } | fetch;
    let fault = |why: u32| WalkError::Fault(PageFault { code: code | why, address });
    let reserved = reserved | if no_execute { 0 } else { x86::NO_EXECUTE };

    let mut access = Access::RWX;
    let mut user = true;
    let mut table = root;
    let mut level = levels - 1;
    let (entry, size) = loop {
        let at = Gpa(table.0 | (geometry::index(page, level) as u64) << 3);
        let entry = read(at).map_err(|error| WalkError::Memory(at, error))?;
        if entry & x86::PRESENT == 0 {
            return Err(fault(0));
        }
        let size = Size::at_level(level).filter(|_| level == 0 || entry & x86::LEAF != 0);
        if entry & (reserved | reserved_by_shape(size, level)) != 0 {
            return Err(fault(CODE_PRESENT | CODE_RESERVED));
        }
        access.write &= entry & x86::WRITE != 0;
        access.execute &= entry & x86::NO_EXECUTE == 0;
        user &= entry & x86::USER != 0;
        match size {
            Some(size) => break (entry, size),
            None => table = Gpa(entry & crate::format::FRAME_MASK),
        }
        level -= 1;
    };

    let allowed = if intent.user {
        user && (access.write || !intent.write)
    } else {
        let smep_stops = smep && user && intent.execute;
        let smap_stops = smap && user && !intent.execute && !intent.access_user;
        !smep_stops && !smap_stops && (access.write || !intent.write || !write_protect)
    };
    if !allowed || (intent.execute && !access.execute) {
        return Err(fault(CODE_PRESENT));
    }
    let offset = (size.frames() << FRAME_SHIFT) - 1;
    let gpa = Gpa(entry & crate::format::FRAME_MASK & !offset | address & offset);
    Ok(Translation { gpa, size, access, user })
}

/// Bits that an entry of this level must not have: the leaf bit where no leaf can be, and frame
/// bits below a large leaf's alignment (bit 12 is its PAT bit).
const fn reserved_by_shape(size: Option<Size>, level: u8) -> u64 {
    match size {
        Some(Size::Small) => 0,
        Some(size) => ((size.frames() << FRAME_SHIFT) - 1) & !0x1fff,
        None if level > Size::Huge.level() => x86::LEAF,
        None => 0,
    }
}
