//! All blocks, ascending.

use super::{Block, FRAMES, Region};
use paging::Mfn;

/// As long as more whole blocks than this are nobody's (64 MiB), a region may reserve one. Below, memory is not
/// plentiful: page tables and single pages would soon take reserved blocks apart again.
pub const PLENTY: u64 = 32;

/// Blocks in which a region's own is looked for. With so many, a region finds a whole one 19 times in 20 as long
/// as one block in ten is whole.
const PLACES: usize = 32;

/// Blocks that are looked at for one that is in pieces already before a whole one is cut.
const LOOK: usize = 64;

/// Free frames in blocks; `C` holds the blocks.
#[derive(Debug)]
pub struct Pool<C> {
    /// The blocks, ascending.
    pub blocks: C,
    /// Where the last single frame was found.
    hint: usize,
    free: u64,
    /// Free frames in blocks that no region reserved.
    loose: u64,
    /// Whole blocks; none of them is reserved.
    whole: u64,
    total: u64,
}

impl<C> Pool<C> {
    /// A pool without frames.
    pub const fn new(blocks: C) -> Self {
        Self { blocks, hint: 0, free: 0, loose: 0, whole: 0, total: 0 }
    }

    /// Free frames.
    pub const fn free(&self) -> u64 {
        self.free
    }

    /// All frames that ever were added.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Whole blocks.
    pub const fn whole(&self) -> u64 {
        self.whole
    }
}

impl<C: AsRef<[Block]> + AsMut<[Block]>> Pool<C> {
    /// Where a frame's block is.
    ///
    /// # Errors
    /// Where it would have to be.
    pub fn find(&self, frame: Mfn) -> Result<usize, usize> {
        self.blocks.as_ref().binary_search_by_key(&frame.align_down(FRAMES).0, Block::base)
    }

    /// Adds a free frame to its block, which must be there; false if it is not, or the frame is free.
    pub fn add(&mut self, frame: Mfn) -> bool {
        let done = self.put(frame);
        self.total += u64::from(done);
        done
    }

    /// Takes any frame; `None` if there is none. Reserved blocks come last.
    pub fn take(&mut self) -> Option<Mfn> {
        let at = if self.loose > 0 { self.loose_block()? } else { self.reserved_block()? };
        self.hint = at;
        self.change(at, |block| {
            block.region = None;
            let offset = block.first()?;
            block.take(offset).then_some(Mfn(block.base() + offset))
        })
    }

    /// Takes the frame at a page's place in the block that its region has reserved, if it has one and the
    /// frame is free.
    pub fn take_own(&mut self, region: Region, offset: u64) -> Option<Mfn> {
        let at = self.places(region).find(|&at| self.block(at).is_some_and(|block| block.region == Some(region)))?;
        self.change(at, |block| block.take(offset).then_some(Mfn(block.base() + offset)))
    }

    /// Reserves a whole block for a region, if there are plenty, and takes the frame at a page's place in it. The
    /// region must have none.
    pub fn reserve(&mut self, region: Region, offset: u64) -> Option<Mfn> {
        if self.whole <= PLENTY || offset >= FRAMES {
            return None;
        }
        let at = self.places(region).find(|&at| self.block(at).is_some_and(Block::is_whole))?;
        self.change(at, |block| {
            block.region = Some(region);
            block.take(offset).then_some(Mfn(block.base() + offset))
        })
    }

    /// True if a frame's block is the region's and no frame of it is free: all pages of the region have had
    /// their frames there.
    pub fn is_complete(&self, region: Region, frame: Mfn) -> bool {
        let block = self.find(frame).ok().and_then(|at| self.block(at));
        block.is_some_and(|block| block.region == Some(region) && block.count() == 0)
    }

    /// Takes a whole block; its first frame.
    pub fn take_block(&mut self) -> Option<Mfn> {
        let at = self.blocks.as_ref().iter().position(Block::is_whole)?;
        self.change(at, |block| {
            (0..FRAMES).for_each(|offset| _ = block.take(offset));
            Some(Mfn(block.base()))
        })
    }

    /// Puts a frame back; false if it never was the pool's block's, or is in it.
    pub fn put(&mut self, frame: Mfn) -> bool {
        let Ok(at) = self.find(frame) else { return false };
        self.change(at, |block| {
            let done = block.put(frame.0 - block.base());
            if block.is_whole() {
                block.region = None;
            }
            done.then_some(())
        })
        .is_some()
    }

    fn block(&self, at: usize) -> Option<&Block> {
        self.blocks.as_ref().get(at)
    }

    /// Where a region's block may be.
    fn places(&self, region: Region) -> impl Iterator<Item = usize> + use<C> {
        let count = self.blocks.as_ref().len();
        let first = region.place(count);
        (0..PLACES.min(count)).map(move |n| (first + n) % count)
    }

    /// From the hint on, and round.
    fn round(&self) -> impl Iterator<Item = (usize, &Block)> {
        let blocks = self.blocks.as_ref();
        let hint = self.hint.min(blocks.len());
        blocks.iter().enumerate().skip(hint).chain(blocks.iter().enumerate().take(hint))
    }

    /// A block with free frames that is nobody's, rather one in pieces than a whole one.
    fn loose_block(&self) -> Option<usize> {
        let mut whole = None;
        for (looked, (at, block)) in self.round().enumerate() {
            if whole.is_some() && looked >= LOOK {
                break;
            }
            if block.region.is_none() && block.count() > 0 {
                if !block.is_whole() {
                    return Some(at);
                }
                whole = whole.or(Some(at));
            }
        }
        whole
    }

    fn reserved_block(&self) -> Option<usize> {
        self.round().find(|(_, block)| block.count() > 0).map(|(at, _)| at)
    }

    /// Changes a block; the counts follow.
    fn change<T>(&mut self, at: usize, change: impl FnOnce(&mut Block) -> Option<T>) -> Option<T> {
        let block = self.blocks.as_mut().get_mut(at)?;
        self.free -= block.count();
        self.loose -= loose(block);
        self.whole -= u64::from(block.is_whole());
        let result = change(block);
        self.free += block.count();
        self.loose += loose(block);
        self.whole += u64::from(block.is_whole());
        result
    }
}

/// Free frames that are nobody's.
const fn loose(block: &Block) -> u64 {
    if block.region.is_none() { block.count() } else { 0 }
}
