//! Hands a sparse image out in runs of whole pages.

use super::BuildError;
use super::sparse::{Extent, Sparse};
use abi::PAGE_SIZE;

/// A run of pages that was put into the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Guest frame number of the first page.
    pub gfn: u64,
    /// Pages, at least 1; their bytes are at the beginning of the buffer.
    pub pages: u64,
}

/// The pages of an image in ascending order, each once.
#[derive(Debug)]
pub struct Pieces<'a> {
    image: &'a Sparse,
    next: u64,
}

impl<'a> Pieces<'a> {
    pub(super) const fn new(image: &'a Sparse) -> Self {
        Self { image, next: 0 }
    }

    /// Puts the next run of pages into `buffer`: as many as are adjacent and fit. `None` at the
    /// end, or if the buffer is smaller than a page.
    ///
    /// # Errors
    /// A file could not be read; the same pages can be asked for again.
    pub fn next(&mut self, buffer: &mut [u8]) -> Result<Option<Piece>, BuildError> {
        let room = buffer.len() as u64 / PAGE_SIZE * PAGE_SIZE;
        let Some(first) = self.image.after(self.next).next() else { return Ok(None) };
        let start = (first.start / PAGE_SIZE * PAGE_SIZE).max(self.next);
        if room == 0 {
            return Ok(None);
        }
        let mut end = start;
        for extent in self.image.after(self.next).take_while(|extent| extent.start < start + room) {
            if end > start && extent.start >= end {
                break;
            }
            end = extent.end.next_multiple_of(PAGE_SIZE).min(start + room);
        }
        let bytes = usize::try_from(end - start).ok().and_then(|len| buffer.get_mut(..len)).unwrap_or_default();
        bytes.fill(0);
        for extent in self.image.after(self.next).take_while(|extent| extent.start < end) {
            fill(bytes, start, extent)?;
        }
        self.next = end;
        Ok(Some(Piece { gfn: start / PAGE_SIZE, pages: (end - start) / PAGE_SIZE }))
    }
}

/// Copies the part of `extent` that lies in `bytes`, which begins at address `start`.
fn fill(bytes: &mut [u8], start: u64, extent: &Extent) -> Result<(), BuildError> {
    let from = extent.start.max(start);
    let to = extent.end.min(start + bytes.len() as u64);
    let index = |address: u64| usize::try_from(address.saturating_sub(start)).unwrap_or(usize::MAX);
    let Some(part) = bytes.get_mut(index(from)..index(to)) else { return Ok(()) };
    let offset = extent.offset + (from - extent.start);
    extent.source.read_at(offset, part).map_err(|error| BuildError::Read { what: extent.what, error })
}
