//! Where everything lies in a store of a given size.

use super::RECORDS;

/// Bytes of a block, as everywhere.
const BLOCK: u64 = tesseract::BLOCK;
/// Slots begin at a multiple of this.
const ALIGN: u64 = 1 << 20;
/// Journal blocks beyond what references need: appends, disks.
const SPARE: u64 = 512;
/// Bytes of slots of the smallest store, whose header takes up five times as much.
const LEAST: u64 = 1 << 20;

/// The division of a store. Two superblocks come first, then the two journal areas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// Bytes of the file or device that are used.
    pub bytes: u64,
    /// Blocks of each journal area.
    pub area: u64,
    /// First byte of slot 0.
    pub slots_at: u64,
    /// Number of slots.
    pub slots: u64,
}

impl Geometry {
    /// The division of `bytes` bytes; `None` if that is too small.
    #[must_use]
    pub fn of(bytes: u64) -> Option<Self> {
        // As if all were slots: the header gets a little more than it needs.
        let area = (2 * (bytes / BLOCK)).div_ceil(RECORDS as u64) + SPARE;
        let slots_at = ((2 + 2 * area) * BLOCK).next_multiple_of(ALIGN);
        let slots = bytes.checked_sub(slots_at)? / BLOCK;
        (slots * BLOCK >= LEAST && slots < 1 << 40).then_some(Self { bytes, area, slots_at, slots })
    }

    /// Most disk blocks with a reference: three states of each fit in an area with room for appends.
    #[must_use]
    pub const fn max_refs(&self) -> u64 {
        self.slots / 2
    }

    /// First byte of a journal area (0 or 1).
    pub(crate) const fn area_at(&self, which: u8) -> u64 {
        (2 + self.area * which as u64) * BLOCK
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn snapshots_of_full_stores_fit_and_leave_room() {
        for shift in 23..44 {
            let g = Geometry::of(1 << shift).unwrap();
            let snapshot = (3 * g.max_refs()).div_ceil(RECORDS as u64) + 67;
            assert!(snapshot + 256 <= g.area, "{g:?}");
            assert!(g.area_at(1) + g.area * BLOCK <= g.slots_at);
            assert!(g.slots_at + g.slots * BLOCK <= g.bytes);
        }
        let least = Geometry::of(6 << 20).unwrap();
        assert_eq!((least.slots_at, least.slots), (5 << 20, 256));
        assert_eq!(Geometry::of((6 << 20) - 1), None);
    }
}
