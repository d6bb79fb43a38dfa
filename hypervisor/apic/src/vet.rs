//! What dom0 may write to the real IO-APIC. Depends on `redirection`.
//!
//! dom0 programs the IO-APIC that it sees; the hypervisor carries over what passes here.
//! Invariant: an entry that came through cannot interrupt with a vector of the hypervisor's nor
//! in a mode that acts on the processor instead of on dom0.

use crate::{DeliveryMode, RedirectionEntry};
use core::fmt;
use core::ops::RangeInclusive;

/// What is allowed.
#[derive(Clone, Debug)]
pub struct Rules<'a> {
    /// Vectors that dom0 may use; those below 16 are refused in any case.
    pub vectors: RangeInclusive<u8>,
    /// Modes besides fixed and lowest priority. With INIT or SMI in it dom0 could stop the machine.
    pub modes: &'a [DeliveryMode],
}

/// Why an entry was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// A reserved delivery mode.
    ReservedMode,
    /// A delivery mode that the rules do not allow.
    Mode(DeliveryMode),
    /// A vector that the rules do not allow.
    Vector(u8),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedMode => f.write_str("the delivery mode is a reserved one"),
            Self::Mode(mode) => write!(f, "delivery mode {mode:?} is not dom0's to use"),
            Self::Vector(vector) => write!(f, "vector {vector:#x} is not dom0's to use"),
        }
    }
}

/// An entry that passed the rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vetted(RedirectionEntry);

impl Vetted {
    /// Judges an entry. A masked one always passes, and without its mode and vector.
    ///
    /// # Errors
    /// [`Refusal`]; the pin should then be masked.
    pub fn new(entry: RedirectionEntry, rules: &Rules<'_>) -> Result<Self, Refusal> {
        if entry.masked() {
            const TRIGGER_AND_POLARITY: u64 = 1 << 15 | 1 << 13;
            let kept = entry.bits() & TRIGGER_AND_POLARITY;
            return Ok(Self(RedirectionEntry::from_bits(kept).with_mask(true)));
        }
        match entry.mode().ok_or(Refusal::ReservedMode)? {
            DeliveryMode::Fixed | DeliveryMode::LowestPriority => {
                let vector = entry.vector();
                if vector < 16 || !rules.vectors.contains(&vector) {
                    return Err(Refusal::Vector(vector));
                }
            }
            mode if !rules.modes.contains(&mode) => return Err(Refusal::Mode(mode)),
            _ => {}
        }
        Ok(Self(entry.with_remote_irr(false)))
    }

    /// The entry to write to the real IO-APIC, so that the processor with this physical APIC identifier gets the interrupt.
    #[must_use]
    pub const fn physical(self, apic_id: u8) -> RedirectionEntry {
        self.0.for_processor(apic_id)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const RULES: Rules<'_> = Rules { vectors: 0x20..=0xef, modes: &[DeliveryMode::Nmi] };

    fn vet(bits: u64) -> Result<u64, Refusal> {
        Vetted::new(RedirectionEntry::from_bits(bits), &RULES).map(|vetted| vetted.physical(3).bits())
    }

    #[test]
    fn destinations_are_rewritten() {
        // Logical, lowest priority, level, active low, to cluster members 0 and 1.
        assert_eq!(vet(0x0300_0000_0000_a931 | 1 << 14), Ok(0x0300_0000_0000_a031));
        assert_eq!(vet(0xff00_0000_0000_00ef), Ok(0x0300_0000_0000_00ef));
    }

    #[test]
    fn what_is_not_dom0_s_is_refused() {
        for vector in [0, 0xf, 0x1f, 0xf0, 0xff] {
            assert_eq!(vet(vector), Err(Refusal::Vector(vector as u8)));
        }
        let lax = Rules { vectors: 0..=0xff, modes: &[] };
        assert_eq!(Vetted::new(RedirectionEntry::from_bits(15), &lax), Err(Refusal::Vector(15)));
        assert_eq!(vet(0x230), Err(Refusal::Mode(DeliveryMode::Smi)));
        assert_eq!(vet(0x530), Err(Refusal::Mode(DeliveryMode::Init)));
        assert_eq!(vet(0x730), Err(Refusal::Mode(DeliveryMode::ExtInt)));
        assert_eq!(vet(0x330), Err(Refusal::ReservedMode));
        assert_eq!(vet(0x400), Ok(0x0300_0000_0000_0400));
    }

    #[test]
    fn masked_entries_are_harmless() {
        assert_eq!(vet(0xff00_0000_0001_a5ff), Ok(0x0300_0000_0001_a000));
    }
}
