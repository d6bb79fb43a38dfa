//! The state of a guest page, and the word that it is kept in: tag (4 bits), payload (60).

use abi::BlockRef;
use paging::Mfn;

/// Bits of a machine frame number in a state: 2^48 bytes of RAM.
pub const MFN_BITS: u32 = 36;

const TAG_SHIFT: u32 = 60;
const PAYLOAD: u64 = (1 << TAG_SHIFT) - 1;
const MFN: u64 = (1 << MFN_BITS) - 1;
const ASSOCIATED: u64 = 1 << MFN_BITS;
const YOUNG: u64 = 1 << (MFN_BITS + 1);
const DIRTY: u64 = 1 << MFN_BITS;
const WAITERS: u64 = 1 << 32;

const _: () = assert!(BlockRef::BITS == TAG_SHIFT);

/// State of a guest page.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PageState {
    /// Never touched, or given back: reads as zero. The word is 0.
    Absent,
    /// In memory, the domain's own.
    Resident {
        /// Where.
        mfn: Mfn,
        /// dom0 can name the content, as long as the page's dirty bit stays clear
        /// ([`abi::command::complete::ASSOCIATE`], [`abi::command::page_in::KEEP`]).
        associated: bool,
        /// Used since it came in or was last aged.
        young: bool,
    },
    /// In memory, read-only, the same frame as other pages.
    Shared {
        /// Where.
        mfn: Mfn,
    },
    /// In dom0's store.
    Swapped {
        /// Name of the content.
        block: BlockRef,
    },
    /// The guest gave it up.
    Ballooned,
    /// On its way in. The name of the content is in the live page-in record.
    PagingIn {
        /// Number of that record.
        record: u32,
        /// Somebody waits for the page.
        waiters: bool,
    },
    /// On its way out: not mapped, the frame still holds the content.
    PagingOut {
        /// Where.
        mfn: Mfn,
        /// dom0 has no name for the content yet.
        dirty: bool,
    },
    /// A fresh frame that a live read request fills.
    Dma {
        /// Where.
        mfn: Mfn,
    },
}

/// A state without its payload.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[allow(missing_docs, reason = "documented at PageState")]
pub enum StateKind {
    Absent = 0,
    Resident = 1,
    Shared = 2,
    Swapped = 3,
    Ballooned = 4,
    PagingIn = 5,
    PagingOut = 6,
    Dma = 7,
}

/// A word that is no state: the table was overwritten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadWord(pub u64);

impl StateKind {
    /// Number of kinds.
    pub const COUNT: usize = 8;
    /// All of them, in the order of their tags.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Absent,
        Self::Resident,
        Self::Shared,
        Self::Swapped,
        Self::Ballooned,
        Self::PagingIn,
        Self::PagingOut,
        Self::Dma,
    ];
}

impl PageState {
    /// The state without its payload.
    #[must_use]
    pub const fn kind(self) -> StateKind {
        match self {
            Self::Absent => StateKind::Absent,
            Self::Resident { .. } => StateKind::Resident,
            Self::Shared { .. } => StateKind::Shared,
            Self::Swapped { .. } => StateKind::Swapped,
            Self::Ballooned => StateKind::Ballooned,
            Self::PagingIn { .. } => StateKind::PagingIn,
            Self::PagingOut { .. } => StateKind::PagingOut,
            Self::Dma { .. } => StateKind::Dma,
        }
    }

    /// The frame that the page holds on to.
    #[must_use]
    pub const fn frame(self) -> Option<Mfn> {
        match self {
            Self::Resident { mfn, .. } | Self::Shared { mfn } | Self::PagingOut { mfn, .. } | Self::Dma { mfn } => {
                Some(mfn)
            }
            Self::Absent | Self::Swapped { .. } | Self::Ballooned | Self::PagingIn { .. } => None,
        }
    }

    /// The word; `None` if the frame has more than [`MFN_BITS`] bits or the block is no name.
    #[must_use]
    pub const fn encode(self) -> Option<u64> {
        if let Some(mfn) = self.frame()
            && mfn.0 > MFN
        {
            return None;
        }
        let payload = match self {
            Self::Absent | Self::Ballooned => 0,
            Self::Resident { mfn, associated, young } => mfn.0 + associated as u64 * ASSOCIATED + young as u64 * YOUNG,
            Self::Shared { mfn } | Self::Dma { mfn } => mfn.0,
            Self::Swapped { block } => match BlockRef::check(block.0) {
                Some(block) => block.0,
                None => return None,
            },
            Self::PagingIn { record, waiters } => record as u64 + waiters as u64 * WAITERS,
            Self::PagingOut { mfn, dirty } => mfn.0 + dirty as u64 * DIRTY,
        };
        Some((self.kind() as u64) << TAG_SHIFT | payload)
    }

    /// Reads a word.
    ///
    /// # Errors
    /// The word was not made by [`PageState::encode`].
    pub fn decode(word: u64) -> Result<Self, BadWord> {
        let payload = word & PAYLOAD;
        let mfn = Mfn(payload & MFN);
        let kind = StateKind::ALL.get((word >> TAG_SHIFT) as usize).ok_or(BadWord(word))?;
        let state = match kind {
            StateKind::Absent => Self::Absent,
            StateKind::Resident => {
                Self::Resident { mfn, associated: payload & ASSOCIATED != 0, young: payload & YOUNG != 0 }
            }
            StateKind::Shared => Self::Shared { mfn },
            StateKind::Swapped => Self::Swapped { block: BlockRef(payload) },
            StateKind::Ballooned => Self::Ballooned,
            StateKind::PagingIn => Self::PagingIn { record: payload as u32, waiters: payload & WAITERS != 0 },
            StateKind::PagingOut => Self::PagingOut { mfn, dirty: payload & DIRTY != 0 },
            StateKind::Dma => Self::Dma { mfn },
        };
        if state.encode() == Some(word) { Ok(state) } else { Err(BadWord(word)) }
    }
}
