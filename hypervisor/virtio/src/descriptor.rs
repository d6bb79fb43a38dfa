//! Descriptors and the tables they stand in (section 2.7.5). Depends on `memory` and `breach`.

use crate::breach::{Breach, QueueError};
use crate::memory::GuestMemory;

/// Bytes of a descriptor.
pub const SIZE: u64 = 16;
/// Flag: `next` is valid.
pub const NEXT: u16 = 1;
/// Flag: the device writes the buffer (else it reads it).
pub const WRITE: u16 = 2;
/// Flag: the buffer is a table of descriptors.
pub const INDIRECT: u16 = 4;

/// Most entries of an indirect table. The specification says the queue's size; Linux goes by
/// the device's own limit of segments instead, so this is only what bounds the walk.
pub const MAX_INDIRECT: u16 = 1024;

/// A descriptor: an allegation about memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Descriptor {
    /// Guest-physical address.
    pub gpa: u64,
    /// Bytes.
    pub len: u32,
    /// [`NEXT`], [`WRITE`], [`INDIRECT`].
    pub flags: u16,
    /// The following descriptor's number.
    pub next: u16,
}

impl Descriptor {
    /// From its 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        let word = u128::from_le_bytes(bytes);
        Self { gpa: word as u64, len: (word >> 64) as u32, flags: (word >> 96) as u16, next: (word >> 112) as u16 }
    }

    /// Its 16 bytes.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 16] {
        let high = self.len as u64 | (self.flags as u64) << 32 | (self.next as u64) << 48;
        ((high as u128) << 64 | self.gpa as u128).to_le_bytes()
    }

    /// True if it has the flag.
    #[must_use]
    pub const fn has(self, flag: u16) -> bool {
        self.flags & flag != 0
    }
}

/// A table of descriptors whose place was checked not to wrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Table {
    /// Guest-physical address.
    pub gpa: u64,
    /// Entries.
    pub entries: u16,
}

impl Table {
    /// The indirect table that `descriptor` points to.
    ///
    /// # Errors
    /// [`Breach`] if its length or place is illegal.
    pub fn indirect(descriptor: Descriptor) -> Result<Self, Breach> {
        let Descriptor { gpa, len, .. } = descriptor;
        if descriptor.has(NEXT) {
            return Err(Breach::IndirectNext(gpa));
        }
        let entries = u16::try_from(len / SIZE as u32).unwrap_or(u16::MAX);
        if u64::from(len) % SIZE != 0 || entries == 0 || entries > MAX_INDIRECT {
            return Err(Breach::IndirectLength(len));
        }
        gpa.checked_add(len.into()).ok_or(Breach::Wraps(gpa))?;
        Ok(Self { gpa, entries })
    }

    /// Reads entry `index`; `None` if it is beyond the table.
    ///
    /// # Errors
    /// [`QueueError`] of the memory access.
    pub fn read(self, memory: &mut impl GuestMemory, index: u16) -> Result<Option<Descriptor>, QueueError> {
        if index >= self.entries {
            return Ok(None);
        }
        let mut bytes = [0; 16];
        memory.read(self.gpa + u64::from(index) * SIZE, &mut bytes)?;
        Ok(Some(Descriptor::from_bytes(bytes)))
    }
}
