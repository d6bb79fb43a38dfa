//! 512 aligned frames: a bit each.

use super::{FRAMES, Region};
use paging::Mfn;

/// Which frames of 2 MiB are free.
#[derive(Clone, Debug)]
pub struct Block {
    /// First frame; a multiple of 512.
    base: u64,
    /// Bit set: free.
    free: [u64; 8],
    count: u16,
    pub(super) region: Option<Region>,
}

impl Block {
    /// The block that a frame is in, with no frame free.
    #[must_use]
    pub const fn around(frame: Mfn) -> Self {
        Self { base: frame.align_down(FRAMES).0, free: [0; 8], count: 0, region: None }
    }

    /// Its first frame.
    #[must_use]
    pub const fn base(&self) -> u64 {
        self.base
    }

    /// Free frames.
    pub(super) const fn count(&self) -> u64 {
        self.count as u64
    }

    /// True if all frames are free.
    pub(super) const fn is_whole(&self) -> bool {
        self.count() == FRAMES
    }

    /// The first free frame's offset.
    pub(super) fn first(&self) -> Option<u64> {
        let word = self.free.iter().position(|&word| word != 0)?;
        Some(word as u64 * 64 + u64::from(self.free.get(word)?.trailing_zeros()))
    }

    /// Makes a frame free; false if it was.
    pub(super) fn put(&mut self, offset: u64) -> bool {
        let done = self.flip(offset, false);
        self.count += u16::from(done);
        done
    }

    /// Makes a frame used; false if it was.
    pub(super) fn take(&mut self, offset: u64) -> bool {
        let done = self.flip(offset, true);
        self.count -= u16::from(done);
        done
    }

    /// Changes the bit if it is as it is said to be.
    fn flip(&mut self, offset: u64, is_free: bool) -> bool {
        let Some(word) = self.free.get_mut((offset / 64) as usize) else { return false };
        let bit = 1 << (offset % 64);
        let done = (*word & bit != 0) == is_free;
        if done {
            *word ^= bit;
        }
        done
    }
}
