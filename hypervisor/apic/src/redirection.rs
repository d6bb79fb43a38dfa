//! An entry of an IO-APIC's redirection table (82093AA, 3.2.4), virtual or real. Depends on
//! `mode` and `destination`.
//!
//! Invariant: reserved bits are 0.

use crate::{DeliveryMode, Destination};

const VECTOR: u64 = 0xff;
const MODE: u64 = 0x700;
const LOGICAL: u64 = 1 << 11;
const ACTIVE_LOW: u64 = 1 << 13;
const REMOTE_IRR: u64 = 1 << 14;
const LEVEL: u64 = 1 << 15;
const MASKED: u64 = 1 << 16;
const DESTINATION: u64 = 0xff << 56;
/// What software writes; delivery status (12) and remote IRR (14) are the IO-APIC's.
const WRITABLE: u64 = VECTOR | MODE | LOGICAL | ACTIVE_LOW | LEVEL | MASKED | DESTINATION;

/// What happens when a pin is active. An allegation of the guest or dom0 until it is decoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RedirectionEntry(u64);

impl RedirectionEntry {
    /// Masked and otherwise 0, as after reset.
    pub const RESET: Self = Self(MASKED);

    /// From both words; reserved bits and delivery status are dropped.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & (WRITABLE | REMOTE_IRR))
    }

    /// Both words; delivery status reads as idle.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// As after a write of `value` to the low or high word by software (82093AA, 3.2.4: status bits are
    /// read only). An entry made edge triggered forgets its remote IRR, on which software relies.
    #[must_use]
    pub const fn written(self, high: bool, value: u32) -> Self {
        let (word, mask) = if high { ((value as u64) << 32, !0 << 32) } else { (value as u64, 0xffff_ffff) };
        let entry = Self(self.0 & !(mask & WRITABLE) | word & WRITABLE);
        if entry.level() { entry } else { entry.with_remote_irr(false) }
    }

    /// The vector.
    #[must_use]
    pub const fn vector(self) -> u8 {
        self.0 as u8
    }

    /// The delivery mode; `None` for a reserved encoding.
    #[must_use]
    pub const fn mode(self) -> Option<DeliveryMode> {
        DeliveryMode::of_pin(self.0 >> 8)
    }

    /// Whom it is for.
    #[must_use]
    pub const fn destination(self) -> Destination {
        Destination::narrow((self.0 >> 56) as u8, self.0 & LOGICAL != 0)
    }

    /// True if a low voltage means active.
    #[must_use]
    pub const fn active_low(self) -> bool {
        self.0 & ACTIVE_LOW != 0
    }

    /// True from the acceptance of a level-triggered interrupt to its EOI.
    #[must_use]
    pub const fn remote_irr(self) -> bool {
        self.0 & REMOTE_IRR != 0
    }

    /// True if level triggered.
    #[must_use]
    pub const fn level(self) -> bool {
        self.0 & LEVEL != 0
    }

    /// True if masked.
    #[must_use]
    pub const fn masked(self) -> bool {
        self.0 & MASKED != 0
    }

    /// The same entry, masked or not.
    #[must_use]
    pub const fn with_mask(self, masked: bool) -> Self {
        Self(if masked { self.0 | MASKED } else { self.0 & !MASKED })
    }

    /// The same entry with this remote IRR.
    #[must_use]
    pub const fn with_remote_irr(self, set: bool) -> Self {
        Self(if set { self.0 | REMOTE_IRR } else { self.0 & !REMOTE_IRR })
    }

    /// The same entry for one physical APIC identifier, which gets every interrupt: lowest priority becomes fixed.
    #[must_use]
    pub const fn for_processor(self, apic_id: u8) -> Self {
        let mode = match self.mode() {
            Some(DeliveryMode::LowestPriority) => 0,
            _ => self.0 & MODE,
        };
        Self(self.0 & !(DESTINATION | LOGICAL | MODE) | mode | (apic_id as u64) << 56)
    }
}
