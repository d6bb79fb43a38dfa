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
            if end > start && extent.start > end {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const MEMORY: usize = 64 * 4096;

    /// All pieces of an image, put into a memory that was full of zeroes.
    fn load(image: &Sparse, pages: usize) -> (Vec<u8>, Vec<Piece>) {
        let (mut memory, mut list) = (vec![0; MEMORY], Vec::new());
        let mut buffer = vec![0xee; pages * 4096 + 17];
        let mut pieces = Pieces::new(image);
        while let Some(piece) = pieces.next(&mut buffer).unwrap() {
            let (at, len) = (piece.gfn as usize * 4096, piece.pages as usize * 4096);
            memory[at..at + len].copy_from_slice(&buffer[..len]);
            list.push(piece);
        }
        (memory, list)
    }

    proptest! {
        #[test]
        fn like_a_copy_of_everything(extents in proptest::collection::vec((0..MEMORY, 0usize..9000, 1u8..), 0..12), pages in 1usize..9) {
            let (mut image, mut model, mut used) = (Sparse::default(), vec![0; MEMORY], vec![false; MEMORY]);
            for (start, len, fill) in extents {
                let range = start..(start + len).min(MEMORY);
                let free = used[range.clone()].iter().all(|used| !used);
                let bytes = vec![fill; range.len()];
                prop_assert_eq!(image.add_bytes("x", start as u64, bytes).is_ok(), free);
                if free {
                    model[range.clone()].fill(fill);
                    used[range].fill(true);
                }
            }
            let (memory, list) = load(&image, pages);
            prop_assert!(memory == model);
            prop_assert!(list.windows(2).all(|w| w[0].gfn + w[0].pages <= w[1].gfn));
            prop_assert!(list.iter().all(|p| p.pages >= 1 && p.pages <= pages as u64));
            let loaded: u64 = list.iter().map(|p| p.pages).sum();
            prop_assert_eq!(loaded, used.chunks(4096).filter(|page| page.contains(&true)).count() as u64);
        }
    }

    #[test]
    fn adjacent_extents_come_together() {
        let mut image = Sparse::default();
        for (start, len) in [(4096, 4096), (8192, 100), (8292, 5000), (40960, 1)] {
            image.add_bytes("x", start, vec![1; len]).unwrap();
        }
        let runs: Vec<_> = load(&image, 9).1.iter().map(|p| (p.gfn, p.pages)).collect();
        assert_eq!(runs, [(1, 3), (10, 1)]);
    }

    #[test]
    fn a_buffer_below_a_page_gives_nothing() {
        let mut image = Sparse::default();
        image.add_bytes("x", 0, vec![1]).unwrap();
        assert_eq!(Pieces::new(&image).next(&mut [0; 4095]).unwrap(), None);
    }
}
