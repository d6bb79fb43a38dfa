//! Copies between a buffer and a chain's bytes at an offset. Depends on `chain` and `memory`.
//!
//! Invariant: nothing outside the chain's buffers is touched, and of them only the readable
//! ones are read, only the writable ones written.

use crate::chain::ChainSegment;
use crate::memory::{Fault, GuestMemory};
use abi::PAGE_SIZE;

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

/// As [`read`], but stops before the first page that is not present: fewer bytes are no error.
///
/// # Errors
/// [`Fault::Bad`].
pub fn read_present(memory: &mut impl GuestMemory, segments: &[ChainSegment], to: &mut [u8]) -> Result<usize, Fault> {
    for (gpa, range) in parts(segments, false, 0, to.len()).flat_map(by_page) {
        let (start, Some(place)) = (range.start, to.get_mut(range)) else { break };
        match memory.read(gpa, place) {
            Err(Fault::NotPresent(_)) => return Ok(start),
            result => result?,
        }
    }
    Ok(parts(segments, false, 0, to.len()).map(|(_, range)| range.end).max().unwrap_or(0))
}

/// As [`read`], but pages that are not present read as zeroes.
///
/// # Errors
/// [`Fault::Bad`].
pub fn read_or_zero(
    memory: &mut impl GuestMemory,
    segments: &[ChainSegment],
    offset: u32,
    to: &mut [u8],
) -> Result<usize, Fault> {
    let mut done = 0;
    for (gpa, range) in parts(segments, false, offset, to.len()).flat_map(by_page) {
        done = range.end;
        let Some(place) = to.get_mut(range) else { continue };
        match memory.read(gpa, place) {
            Err(Fault::NotPresent(_)) => place.fill(0),
            result => result?,
        }
    }
    Ok(done)
}

/// Cuts a part at page borders.
fn by_page((gpa, range): (u64, core::ops::Range<usize>)) -> impl Iterator<Item = (u64, core::ops::Range<usize>)> {
    let mut at = range.start;
    core::iter::from_fn(move || {
        let here = gpa.wrapping_add((at - range.start) as u64);
        let room = usize::try_from(PAGE_SIZE - here % PAGE_SIZE).unwrap_or(usize::MAX);
        let end = range.end.min(at.saturating_add(room));
        let cut = (at < end).then_some((here, at..end));
        at = end;
        cut
    })
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
