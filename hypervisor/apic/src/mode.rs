//! Delivery modes of interrupt messages. Depends on nothing.

/// How an interrupt message acts on the processor that it reaches (SDM 11.6.1, 82093AA 3.2.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum DeliveryMode {
    /// The vector, at every destination.
    Fixed = 0,
    /// The vector, at that one of the destinations that runs at the lowest priority.
    LowestPriority = 1,
    /// System management interrupt.
    Smi = 2,
    /// Non-maskable interrupt.
    Nmi = 4,
    /// INIT.
    Init = 5,
    /// Start-up; the vector is the page that the processor starts in. IPIs only.
    Startup = 6,
    /// From an external 8259. LINT and IO-APIC only.
    ExtInt = 7,
}

impl DeliveryMode {
    /// The mode with encoding `bits` (three bits) in an ICR; `None` for reserved ones.
    #[must_use]
    pub const fn of_ipi(bits: u64) -> Option<Self> {
        match bits & 7 {
            0 => Some(Self::Fixed),
            1 => Some(Self::LowestPriority),
            2 => Some(Self::Smi),
            4 => Some(Self::Nmi),
            5 => Some(Self::Init),
            6 => Some(Self::Startup),
            _ => None,
        }
    }

    /// The mode with encoding `bits` (three bits) in an IO-APIC's entry; `None` for reserved ones.
    #[must_use]
    pub const fn of_pin(bits: u64) -> Option<Self> {
        match bits & 7 {
            0 => Some(Self::Fixed),
            1 => Some(Self::LowestPriority),
            2 => Some(Self::Smi),
            4 => Some(Self::Nmi),
            5 => Some(Self::Init),
            7 => Some(Self::ExtInt),
            _ => None,
        }
    }
}
