//! The memory balloon, device side (section 5.5): what its queues say. Depends on `chain`, `copy`, `memory`.
//!
//! Pure: what comes out are frame numbers and ranges, allegations that the caller checks against
//! the guest's memory and page states. Invariant: a call yields a bounded number of them.

use crate::chain::ChainSegment;
use crate::copy;
use crate::memory::{Fault, GuestMemory};
use abi::PAGE_SIZE;
use heapless::Vec;

/// Feature bits (section 5.5.3).
pub mod feature {
    /// The device must hear of deflation before the guest uses the pages. Not offered.
    pub const MUST_TELL_HOST: u64 = 1 << 0;
    /// There is a queue for statistics.
    pub const STATS_VQ: u64 = 1 << 1;
    /// The guest may deflate when it is out of memory.
    pub const DEFLATE_ON_OOM: u64 = 1 << 2;
    /// Free page hints. Not offered.
    pub const FREE_PAGE_HINT: u64 = 1 << 3;
    /// The content of free pages matters to the guest. Not offered.
    pub const PAGE_POISON: u64 = 1 << 4;
    /// There is a queue for reports of free pages.
    pub const PAGE_REPORTING: u64 = 1 << 5;
    /// What a balloon offers.
    pub const OFFERED: u64 = STATS_VQ | DEFLATE_ON_OOM | PAGE_REPORTING;
}

/// Queues of the device. One more than drivers use: some number the queues that exist, others
/// as in section 5.5.2, with a gap for the free page hints that are not offered.
pub const QUEUES: usize = 5;
/// Bytes of the configuration space: `num_pages`, `actual`.
pub const CONFIG_SIZE: usize = 8;

/// What a queue is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The guest gives pages up: readable, an array of frame numbers.
    Inflate,
    /// The guest takes pages back: likewise.
    Deflate,
    /// Statistics: readable; the device keeps the chain and gives it back to ask for new ones.
    Statistics,
    /// Free pages: writable buffers, each a range whose content is not needed.
    Reporting,
}

impl Role {
    /// The role of queue `index` for a driver that accepted `features`.
    #[must_use]
    pub const fn of(index: u16, features: u64) -> Option<Self> {
        match index {
            0 => Some(Self::Inflate),
            1 => Some(Self::Deflate),
            2 if features & feature::STATS_VQ != 0 => Some(Self::Statistics),
            2..=4 if features & feature::PAGE_REPORTING != 0 => Some(Self::Reporting),
            _ => None,
        }
    }
}

/// The configuration space: pages wanted from the guest, pages that it says it gave.
#[must_use]
pub const fn config(num_pages: u32, actual: u32) -> [u8; CONFIG_SIZE] {
    (num_pages as u64 | (actual as u64) << 32).to_le_bytes()
}

/// Pages that the guest says it gave, from the configuration space.
#[must_use]
pub fn actual(config: &[u8]) -> u32 {
    config.get(4..8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// Most frame numbers that [`frames`] yields at a time: as many as Linux sends in a chain.
pub const BATCH: usize = 256;

/// The frame numbers in an inflate or deflate chain, from number `first` on: at most [`BATCH`]. Call
/// again with `first` increased by that until none come. Trailing bytes that make no number are ignored.
///
/// # Errors
/// [`Fault`]: as for the queue.
pub fn frames(memory: &mut impl GuestMemory, segments: &[ChainSegment], first: u32) -> Result<Vec<u32, BATCH>, Fault> {
    let mut bytes = [0; 4 * BATCH];
    let read = match first.checked_mul(4) {
        Some(offset) => copy::read(memory, segments, offset, &mut bytes)?,
        None => 0,
    };
    let numbers = bytes.chunks_exact(4).take(read / 4);
    Ok(numbers.map(|chunk| chunk.iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))).collect())
}

/// A run of whole guest frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frames {
    /// The first.
    pub first: u64,
    /// How many, not 0.
    pub count: u64,
}

/// The whole pages in the buffers of a reporting chain, one run for each buffer that has any.
pub fn reported(segments: &[ChainSegment]) -> impl Iterator<Item = Frames> + '_ {
    segments.iter().filter(|segment| segment.writable).filter_map(|segment| {
        let first = segment.gpa.div_ceil(PAGE_SIZE);
        let end = segment.gpa.checked_add(segment.len.into())? / PAGE_SIZE;
        (first < end).then(|| Frames { first, count: end - first })
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    extern crate std;
    use super::*;
    use std::vec::Vec as List;

    #[test]
    fn roles_by_either_numbering() {
        let all = feature::OFFERED;
        let roles: List<_> = (0..6).map(|index| Role::of(index, all)).collect();
        let reporting = Some(Role::Reporting);
        assert_eq!(
            roles,
            [Some(Role::Inflate), Some(Role::Deflate), Some(Role::Statistics), reporting, reporting, None]
        );
        assert_eq!(Role::of(2, feature::PAGE_REPORTING), reporting);
        assert_eq!(Role::of(3, feature::STATS_VQ), None);
    }

    #[test]
    fn the_configuration_space() {
        assert_eq!(config(0x0102, 3), [2, 1, 0, 0, 3, 0, 0, 0]);
        assert_eq!(actual(&config(7, 0xffff_fffe)), 0xffff_fffe);
        assert_eq!(actual(&[0; 5]), 0);
    }

    #[test]
    fn reports_name_whole_pages_only() {
        let buffer = |gpa, len, writable| ChainSegment { gpa, len, writable };
        let report = [
            buffer(0x1000, 0x2000, true),
            buffer(0x1001, 0x2000, true),
            buffer(0x1001, 0x1000, true),
            buffer(0x9000, 0x4000, false),
            buffer(u64::MAX - 0xfff, 0x1000, true),
        ];
        let runs: List<_> = reported(&report).collect();
        assert_eq!(runs, [Frames { first: 1, count: 2 }, Frames { first: 2, count: 1 }]);
    }
}
