//! What a frame is used for.

/// Use of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum FrameKind {
    /// Not RAM, or the firmware's.
    Reserved = 0,
    /// Nobody's; content is left over from its last owner and is scrubbed by who claims it.
    Free = 1,
    /// The hypervisor's image, heap, records.
    Hypervisor = 2,
    /// A table: nested page table or page states.
    Table = 3,
    /// One domain's memory.
    Domain = 4,
    /// dom0's memory.
    Dom0 = 5,
    /// Read-only memory of several pages (copy-on-write).
    Shared = 6,
    /// Was a domain's; a processor may still have a translation to it.
    Quarantine = 7,
}

use FrameKind::{Dom0, Domain, Free, Hypervisor, Quarantine, Reserved, Shared, Table};

impl FrameKind {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [Reserved, Free, Hypervisor, Table, Domain, Dom0, Shared, Quarantine];

    /// The kind with this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        if (number as usize) < Self::ALL.len() { Some(Self::ALL[number as usize]) } else { None }
    }

    /// True if frames of this kind may be referenced beside their owner's own use of them.
    #[must_use]
    pub const fn is_referable(self) -> bool {
        matches!(self, Domain | Dom0 | Shared)
    }
}

/// Every change of kind that there is.
pub const TRANSITIONS: &[(FrameKind, FrameKind)] = &[
    (Reserved, Free),
    (Free, Hypervisor),
    (Free, Table),
    (Free, Domain),
    (Free, Dom0),
    (Domain, Shared),
    (Shared, Domain),
    (Domain, Quarantine),
    (Shared, Quarantine),
    (Quarantine, Free),
    (Hypervisor, Free),
    (Table, Free),
];

/// True if [`TRANSITIONS`] has it.
#[must_use]
pub fn allowed(from: FrameKind, to: FrameKind) -> bool {
    TRANSITIONS.contains(&(from, to))
}
