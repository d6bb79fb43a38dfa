//! Which vCPUs an interrupt message reaches. Depends on nothing.
//!
//! All local APICs are in x2APIC mode, where the logical identifier follows from the APIC
//! identifier (SDM 11.12.10.2), so an identifier is all that there is to know about a target.

/// Whom a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Destination {
    /// The processor with this APIC identifier.
    Physical(u32),
    /// x2APIC logical: cluster in bits 16 to 31, a bit for each of its members in bits 0 to 15.
    Logical(u32),
    /// The sender only.
    Itself,
    /// Every processor.
    All,
    /// Every processor but the sender.
    Others,
}

/// The broadcast address of a 32-bit destination field.
const BROADCAST: u32 = 0xffff_ffff;

/// The x2APIC logical identifier (LDR) of APIC identifier `id`.
#[must_use]
pub const fn logical_id(id: u32) -> u32 {
    (id >> 4) << 16 | 1 << (id & 15)
}

impl Destination {
    /// From the destination field of an x2APIC ICR.
    #[must_use]
    pub const fn wide(field: u32, logical: bool) -> Self {
        match (field, logical) {
            (BROADCAST, _) => Self::All,
            (_, true) => Self::Logical(field),
            (_, false) => Self::Physical(field),
        }
    }

    /// From the 8-bit destination field of an IO-APIC's entry or of an MSI address without
    /// remapping: 0xff is everyone, a logical one reaches members 0 to 7 of cluster 0.
    #[must_use]
    pub const fn narrow(field: u8, logical: bool) -> Self {
        match (field, logical) {
            (0xff, _) => Self::All,
            (_, true) => Self::Logical(field as u32),
            (_, false) => Self::Physical(field as u32),
        }
    }

    /// True if a message from `sender` to this destination reaches APIC identifier `target`.
    /// Messages from devices have no sender: [`Self::Itself`] then reaches no one.
    #[must_use]
    pub fn reaches(self, sender: Option<u32>, target: u32) -> bool {
        match self {
            Self::Physical(id) => id == target,
            Self::Logical(field) => {
                let own = logical_id(target);
                field >> 16 == own >> 16 && field & own & 0xffff != 0
            }
            Self::Itself => sender == Some(target),
            Self::All => true,
            Self::Others => sender != Some(target),
        }
    }

    /// The targets as a bit map: bit `n` stands for the `n`th of `ids` (64 at most are looked at).
    pub fn targets(self, sender: Option<u32>, ids: impl IntoIterator<Item = u32>) -> u64 {
        let each = ids.into_iter().take(64).enumerate();
        each.fold(0, |map, (n, id)| map | u64::from(self.reaches(sender, id)) << n)
    }
}

/// Of `targets` (a bit map), the one with the least `priority` (its PPR), the first of equals:
/// the arbitration of [`crate::DeliveryMode::LowestPriority`].
pub fn lowest_priority(targets: u64, priority: impl Fn(u32) -> u8) -> Option<u32> {
    (0..64).filter(|n| targets >> n & 1 != 0).min_by_key(|n| priority(*n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn physical_names_one() {
        assert_eq!(Destination::wide(2, false).targets(Some(0), 0..4), 0b100);
        assert_eq!(Destination::narrow(3, false).targets(None, [3, 7, 3]), 0b101);
        assert_eq!(Destination::wide(99, false).targets(Some(0), 0..4), 0);
    }

    #[test]
    fn logical_is_by_cluster() {
        // Identifiers 0x10 to 0x1f are cluster 1.
        let members = Destination::wide(1 << 16 | 0b101, true);
        assert_eq!(members.targets(None, [0x10, 0x11, 0x12, 0x00, 0x02]), 0b00101);
        assert_eq!(Destination::narrow(0b11, true).targets(None, [0, 1, 2, 16, 17]), 0b00011);
    }

    #[test]
    fn broadcast_and_shorthands() {
        assert_eq!(Destination::wide(0xffff_ffff, true), Destination::All);
        assert_eq!(Destination::narrow(0xff, false).targets(None, 0..3), 0b111);
        assert_eq!(Destination::Others.targets(Some(1), 0..3), 0b101);
        assert_eq!(Destination::Itself.targets(Some(1), 0..3), 0b010);
        assert_eq!(Destination::Itself.targets(None, 0..3), 0);
        assert_eq!(Destination::All.targets(None, 0..100), u64::MAX);
    }

    #[test]
    fn the_least_priority_wins() {
        let ppr = [0x50, 0x20, 0x10, 0x20];
        assert_eq!(lowest_priority(0b1011, |n| ppr[n as usize]), Some(1));
        assert_eq!(lowest_priority(0, |_| 0), None);
    }
}
