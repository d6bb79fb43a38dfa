//! Layout of the available and used rings and their notification fields (sections 2.7.6 to 2.7.10).
//! Depends on `memory`.
//!
//! Invariant: the rings' places were checked not to wrap when the queue was made ready.

use crate::memory::{Fault, GuestMemory};

/// Available ring, flags: the driver wants no interrupts.
pub const NO_INTERRUPT: u16 = 1;

fn read_u16(memory: &mut impl GuestMemory, gpa: u64) -> Result<u16, Fault> {
    let mut bytes = [0; 2];
    memory.read(gpa, &mut bytes)?;
    Ok(u16::from_le_bytes(bytes))
}

/// The available ring, which the driver writes: flags, index, `size` heads, used event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Available {
    /// Guest-physical address.
    pub gpa: u64,
    /// Entries.
    pub size: u16,
}

impl Available {
    /// Bytes of the ring.
    #[must_use]
    pub const fn bytes(size: u16) -> u64 {
        6 + 2 * size as u64
    }

    /// Flags.
    pub(crate) fn flags(self, memory: &mut impl GuestMemory) -> Result<u16, Fault> {
        read_u16(memory, self.gpa)
    }

    /// Index that the driver fills next.
    pub(crate) fn index(self, memory: &mut impl GuestMemory) -> Result<u16, Fault> {
        read_u16(memory, self.gpa + 2)
    }

    /// The head at free-running index `index`; `size` is a power of two.
    pub(crate) fn head(self, memory: &mut impl GuestMemory, index: u16) -> Result<u16, Fault> {
        read_u16(memory, self.gpa + 4 + 2 * u64::from(index & (self.size - 1)))
    }

    /// The used index that the driver wants to be interrupted at.
    pub(crate) fn used_event(self, memory: &mut impl GuestMemory) -> Result<u16, Fault> {
        read_u16(memory, self.gpa + 4 + 2 * u64::from(self.size))
    }
}

/// The used ring, which the device writes: flags, index, `size` entries, available event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Used {
    /// Guest-physical address.
    pub gpa: u64,
    /// Entries.
    pub size: u16,
}

impl Used {
    /// Bytes of the ring.
    #[must_use]
    pub const fn bytes(size: u16) -> u64 {
        6 + 8 * size as u64
    }

    /// Writes the entry at free-running index `index`.
    pub(crate) fn entry(self, memory: &mut impl GuestMemory, index: u16, head: u16, len: u32) -> Result<(), Fault> {
        let entry = u64::from(head) | u64::from(len) << 32;
        memory.write(self.gpa + 4 + 8 * u64::from(index & (self.size - 1)), &entry.to_le_bytes())
    }

    /// Publishes the index.
    pub(crate) fn set_index(self, memory: &mut impl GuestMemory, index: u16) -> Result<(), Fault> {
        memory.write(self.gpa + 2, &index.to_le_bytes())
    }

    /// Tells the driver at which available index the device wants to be notified.
    pub(crate) fn set_available_event(self, memory: &mut impl GuestMemory, index: u16) -> Result<(), Fault> {
        memory.write(self.gpa + 4 + 8 * u64::from(self.size), &index.to_le_bytes())
    }
}

/// True if `event` was passed when an index went from `old` to `new` (section 2.7.10.1).
#[must_use]
pub const fn passed(event: u16, new: u16, old: u16) -> bool {
    new.wrapping_sub(event).wrapping_sub(1) < new.wrapping_sub(old)
}
