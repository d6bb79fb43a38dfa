//! Copies between a buffer and a chain's bytes at an offset. Depends on `chain` and `memory`.
//!
//! Invariant: nothing outside the chain's buffers is touched, and of them only the readable
//! ones are read, only the writable ones written.

use crate::chain::ChainSegment;
use crate::memory::{Fault, GuestMemory};

/// The parts of those `segments` that are `writable` or not, from `offset` on: address and range in a buffer of `len` bytes.
fn parts(
    segments: &[ChainSegment],
    writable: bool,
    offset: u32,
    len: usize,
) -> impl Iterator<Item = (u64, core::ops::Range<usize>)> + '_ {
    let mut skip = u64::from(offset);
    let mut done = 0;
    segments.iter().filter(move |segment| segment.writable == writable).filter_map(move |segment| {
        let here = u64::from(segment.len).saturating_sub(skip);
        let gpa = segment.gpa.wrapping_add(skip);
        skip = skip.saturating_sub(segment.len.into());
        let take = usize::try_from(here).unwrap_or(usize::MAX).min(len - done);
        let range = done..done + take;
        done += take;
        (take != 0).then_some((gpa, range))
    })
}

/// Reads the chain's readable bytes from `offset` on; returns how many there were, up to `to`'s length.
///
/// # Errors
/// [`Fault`]; part of `to` may have been filled.
pub fn read(
    memory: &mut impl GuestMemory,
    segments: &[ChainSegment],
    offset: u32,
    to: &mut [u8],
) -> Result<usize, Fault> {
    let mut done = 0;
    for (gpa, range) in parts(segments, false, offset, to.len()) {
        done = range.end;
        if let Some(place) = to.get_mut(range) {
            memory.read(gpa, place)?;
        }
    }
    Ok(done)
}

/// Writes the chain's writable bytes from `offset` on; returns how many fitted.
///
/// # Errors
/// [`Fault`]; part of `from` may have been written.
pub fn write(
    memory: &mut impl GuestMemory,
    segments: &[ChainSegment],
    offset: u32,
    from: &[u8],
) -> Result<usize, Fault> {
    let mut done = 0;
    for (gpa, range) in parts(segments, true, offset, from.len()) {
        done = range.end;
        if let Some(bytes) = from.get(range) {
            memory.write(gpa, bytes)?;
        }
    }
    Ok(done)
}
