//! The balloon's statistics queue (section 5.5.6.3). Depends on `chain`, `copy`, `memory`.
//!
//! The driver hands in one chain with its statistics; the device keeps it and gives it back when
//! it wants new ones. Invariant: at most one chain is kept.

use crate::chain::ChainSegment;
use crate::copy;
use crate::memory::{Fault, GuestMemory};

/// How many tags have a place.
pub const TAGS: usize = 16;
/// Bytes of an entry: tag (16 bits), value (64 bits).
const ENTRY: usize = 10;
/// Most entries that are looked at.
const MAX_ENTRIES: usize = 32;

/// Values by tag (section 5.5.6.4; Linux has since gone on to 16); `u64::MAX` where none was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statistics(pub [u64; TAGS]);

impl Statistics {
    /// Nothing reported.
    pub const NONE: Self = Self([u64::MAX; TAGS]);

    /// From the bytes of a chain; unknown tags and trailing bytes are ignored, the last of equal tags counts.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut statistics = Self::NONE;
        for entry in bytes.chunks_exact(ENTRY).take(MAX_ENTRIES) {
            let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
            let (tag, value) = entry.split_at(2);
            if let Some(place) = usize::try_from(number(tag)).ok().and_then(|tag| statistics.0.get_mut(tag)) {
                *place = number(value);
            }
        }
        statistics
    }

    /// From a chain.
    ///
    /// # Errors
    /// [`Fault`]: as for the queue.
    pub fn read(memory: &mut impl GuestMemory, segments: &[ChainSegment]) -> Result<Self, Fault> {
        let mut bytes = [0; ENTRY * MAX_ENTRIES];
        let len = copy::read(memory, segments, 0, &mut bytes)?;
        Ok(Self::parse(bytes.get(..len).unwrap_or(&[])))
    }
}

/// The conversation over the statistics queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Poll {
    held: Option<u16>,
    wanted: bool,
    latest: Statistics,
}

impl Poll {
    /// As after a reset of the device.
    pub const RESET: Self = Self { held: None, wanted: false, latest: Statistics::NONE };

    /// The latest statistics.
    #[must_use]
    pub const fn latest(&self) -> &Statistics {
        &self.latest
    }

    /// The driver handed in the chain from `head` with these statistics. Returns a head to push as
    /// used (length 0) now: a chain kept from before, or this one if new statistics are wanted already.
    pub const fn received(&mut self, head: u16, statistics: Statistics) -> Option<u16> {
        self.latest = statistics;
        if self.wanted {
            self.wanted = false;
            return Some(head);
        }
        self.held.replace(head)
    }

    /// New statistics are wanted. Returns the head to push as used (length 0), if the driver's chain
    /// is here; else the wish is kept.
    pub const fn ask(&mut self) -> Option<u16> {
        let held = self.held.take();
        self.wanted = held.is_none();
        held
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn any_bytes_parse(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
            let _ = Statistics::parse(&bytes);
        }

        #[test]
        fn values_come_by_tag(values in prop::collection::vec((0u16..20, any::<u64>()), 0..20)) {
            let bytes: Vec<u8> = values.iter()
                .flat_map(|(tag, value)| tag.to_le_bytes().into_iter().chain(value.to_le_bytes())).collect();
            let statistics = Statistics::parse(&bytes);
            for tag in 0..TAGS {
                let last = values.iter().rev().find(|(of, _)| usize::from(*of) == tag);
                prop_assert_eq!(statistics.0[tag], last.map_or(u64::MAX, |(_, value)| *value));
            }
        }
    }

    #[test]
    fn one_chain_goes_to_and_fro() {
        let mut poll = Poll::RESET;
        assert_eq!(poll.ask(), None, "nothing here yet");
        assert_eq!(poll.received(3, Statistics::NONE), Some(3), "asked for before");
        assert_eq!(poll.received(3, Statistics([1; TAGS])), None);
        assert_eq!(poll.latest().0, [1; TAGS]);
        assert_eq!(poll.received(4, Statistics::NONE), Some(3), "a driver that hands in two");
        assert_eq!(poll.ask(), Some(4));
    }
}
