//! Cuts a chain's buffers at page borders, as the service channel's segments want them.
//! Depends on `chain`, `breach` and `abi`.
//!
//! Invariants: pieces cover the buffers in order, without holes; none crosses a page border;
//! buffers that follow each other in memory are joined first, so that a page described in parts is still seen as whole.

use crate::breach::Breach;
use crate::chain::{Chain, ChainSegment};
use abi::event::{MAX_SEGMENTS, Segment, segment};
use abi::{BlockRef, PAGE_SIZE};

/// A part of a chain within one page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Guest-physical address of the first byte.
    pub gpa: u64,
    /// Bytes, 1 to 4096.
    pub len: u32,
    /// The device writes it.
    pub writable: bool,
    /// Offset of its first byte in the chain's readable or writable bytes.
    pub offset: u32,
}

impl Piece {
    /// The guest frame that it lies in.
    #[must_use]
    pub const fn gfn(&self) -> u64 {
        self.gpa / PAGE_SIZE
    }

    /// True if it is exactly one page.
    #[must_use]
    pub const fn is_whole_page(&self) -> bool {
        self.len as u64 == PAGE_SIZE
    }

    /// The service channel's segment for it, of this kind (see [`abi::event::segment`]), naming
    /// `page` and `block` where those mean something.
    #[must_use]
    pub const fn segment(&self, kind: u8, page: u64, block: BlockRef) -> Segment {
        let writable = if self.writable { segment::WRITABLE } else { 0 };
        let whole = if self.is_whole_page() { segment::WHOLE_PAGE } else { 0 };
        Segment {
            kind,
            flags: writable | whole,
            reserved: 0,
            len: self.len,
            page: if self.is_whole_page() { page } else { 0 },
            block,
            offset: self.offset,
            reserved2: 0,
        }
    }
}

/// How many pieces `chain` has, whose buffers are `segments`.
///
/// # Errors
/// [`Breach::TooManyPieces`]: more than [`MAX_SEGMENTS`], or not all buffers are in the list.
pub fn count(chain: &Chain, segments: &[ChainSegment]) -> Result<usize, Breach> {
    let pieces = pieces(segments).take(MAX_SEGMENTS + 1).count();
    if chain.complete && pieces <= MAX_SEGMENTS { Ok(pieces) } else { Err(Breach::TooManyPieces(chain.head)) }
}

/// The pieces of a chain's `segments`, one after the other.
pub fn pieces(segments: &[ChainSegment]) -> impl Iterator<Item = Piece> + '_ {
    let mut rest = segments.iter().copied().peekable();
    let mut run: Option<Run> = None;
    let mut offsets = [0u32; 2];
    core::iter::from_fn(move || {
        let now = match run.take() {
            Some(now) => now,
            None => {
                let mut now = Run::from(rest.next()?);
                while let Some(next) = rest.next_if(|next| now.goes_on_with(next)) {
                    now.len += u64::from(next.len);
                }
                now
            }
        };
        let len = now.len.min(PAGE_SIZE - now.gpa % PAGE_SIZE);
        if len < now.len {
            run = Some(Run { gpa: now.gpa + len, len: now.len - len, ..now });
        }
        let offset = &mut offsets[usize::from(now.writable)];
        let piece = Piece { gpa: now.gpa, len: len as u32, writable: now.writable, offset: *offset };
        *offset = offset.wrapping_add(piece.len);
        Some(piece)
    })
}

/// Buffers that follow each other in memory.
struct Run {
    gpa: u64,
    len: u64,
    writable: bool,
}

impl From<ChainSegment> for Run {
    fn from(segment: ChainSegment) -> Self {
        Self { gpa: segment.gpa, len: segment.len.into(), writable: segment.writable }
    }
}

impl Run {
    fn goes_on_with(&self, next: &ChainSegment) -> bool {
        self.writable == next.writable && self.gpa.checked_add(self.len) == Some(next.gpa)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec as List;

    fn bytes(gpa: u64, len: u64, writable: bool) -> impl Iterator<Item = (u64, bool)> {
        (gpa..gpa + len).map(move |at| (at, writable))
    }

    proptest! {
        #[test]
        fn pieces_cover_the_buffers(sizes in prop::collection::vec((0u64..0x6000, 1u32..0x3000, any::<bool>()), 0..8), split_at in 0usize..8) {
            let mut gpa = 0x1_0000;
            let segments: List<_> = sizes.iter().enumerate().map(|(n, (start, len, follow))| {
                // Half of the buffers go on where the last one ended.
                let from = if *follow { gpa } else { 0x1_0000 + start };
                gpa = from + u64::from(*len);
                ChainSegment { gpa: from, len: *len, writable: n >= split_at }
            }).collect();
            let pieces: List<_> = pieces(&segments).collect();
            let expect: List<_> = segments.iter().flat_map(|s| bytes(s.gpa, s.len.into(), s.writable)).collect();
            let cover: List<_> = pieces.iter().flat_map(|p| bytes(p.gpa, p.len.into(), p.writable)).collect();
            prop_assert_eq!(cover, expect);
            let mut offsets = [0, 0];
            for piece in &pieces {
                prop_assert_eq!(piece.gpa / PAGE_SIZE, (piece.gpa + u64::from(piece.len) - 1) / PAGE_SIZE);
                prop_assert_eq!(piece.offset, offsets[usize::from(piece.writable)]);
                offsets[usize::from(piece.writable)] += piece.len;
            }
            // No two pieces could have been one.
            for pair in pieces.windows(2) {
                let joins = pair[0].gpa + u64::from(pair[0].len) == pair[1].gpa && pair[0].writable == pair[1].writable;
                prop_assert!(!joins || pair[1].gpa % PAGE_SIZE == 0);
            }
        }
    }

    #[test]
    fn a_page_in_parts_is_whole() {
        let part = |gpa, len| ChainSegment { gpa, len, writable: false };
        let pieces: List<_> = pieces(&[part(0x500, 16), part(0x2000, 512), part(0x2200, 3584 + 4096)]).collect();
        assert_eq!(
            pieces.iter().map(|p| (p.gpa, p.len, p.offset)).collect::<List<_>>(),
            [(0x500, 16, 0), (0x2000, 4096, 16), (0x3000, 4096, 4112)]
        );
        let whole = pieces[1].segment(segment::REFERENCE, 7, BlockRef(9));
        assert_eq!((whole.flags, whole.page, whole.block), (segment::WHOLE_PAGE, 7, BlockRef(9)));
        assert_eq!(pieces[0].segment(segment::DATA, 7, BlockRef::NONE).page, 0);
    }

    #[test]
    fn there_is_a_limit() {
        let all = ChainSegment { gpa: 0, len: 250 * 4096, writable: true };
        let chain = Chain { head: 7, readable: 0, writable: all.len, segments: 1, last: all, complete: true };
        let too_many = Err(Breach::TooManyPieces(7));
        assert_eq!(count(&chain, &[all]), Ok(MAX_SEGMENTS));
        assert_eq!(count(&chain, &[ChainSegment { gpa: 1, ..all }]), too_many);
        assert_eq!(count(&chain, &[ChainSegment { len: u32::MAX, ..all }]), too_many);
        assert_eq!(count(&Chain { complete: false, ..chain }, &[all]), too_many);
    }
}
