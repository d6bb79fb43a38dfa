//! A translation, as the outside sees it.

use crate::{Access, Format, Gfn, MemoryType, Mfn, Size};

/// One leaf of a tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// First guest frame that it covers; aligned to `size`.
    pub gfn: Gfn,
    /// First machine frame that it maps to; aligned to `size`.
    pub mfn: Mfn,
    /// How much it covers.
    pub size: Size,
    /// What it allows.
    pub access: Access,
    /// How it is cached.
    pub memory_type: MemoryType,
    /// The processor used it since the bit was last cleared (at the latest since it was mapped).
    pub accessed: bool,
    /// The processor wrote through it since the bit was last cleared.
    pub dirty: bool,
}

impl Leaf {
    /// Reads a present leaf. A memory type that this crate never writes shows as uncacheable.
    pub(crate) fn decode<F: Format>(entry: u64, gfn: Gfn, size: Size) -> Self {
        Self {
            gfn: gfn.align_down(size.frames()),
            mfn: F::frame(entry, size.level()),
            size,
            access: F::access(entry),
            memory_type: F::memory_type(entry, size).unwrap_or(MemoryType::Uncacheable),
            accessed: entry & F::ACCESSED != 0,
            dirty: entry & F::DIRTY != 0,
        }
    }

    /// The machine frame behind `gfn`; `None` if the leaf does not cover it.
    #[must_use]
    pub const fn frame_of(&self, gfn: Gfn) -> Option<Mfn> {
        match gfn.0.checked_sub(self.gfn.0) {
            Some(offset) if offset < self.size.frames() => Some(Mfn(self.mfn.0 + offset)),
            _ => None,
        }
    }

    /// First guest frame after it.
    #[must_use]
    pub const fn end(&self) -> Gfn {
        Gfn(self.gfn.0 + self.size.frames())
    }
}
