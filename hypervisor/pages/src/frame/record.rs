//! A frame's record as a word: generation (8), owner (10), references (10), kind (4).

use super::FrameKind;

const KIND_BITS: u32 = 4;
const REFERENCE_BITS: u32 = 10;
const OWNER_BITS: u32 = 10;
const REFERENCE_SHIFT: u32 = KIND_BITS;
const OWNER_SHIFT: u32 = REFERENCE_SHIFT + REFERENCE_BITS;
const GENERATION_SHIFT: u32 = OWNER_SHIFT + OWNER_BITS;

const _: () = assert!(GENERATION_SHIFT + 8 == u32::BITS);

/// Most references that a frame can have.
pub const MAX_REFERENCES: u16 = (1 << REFERENCE_BITS) - 1;

/// Whom a frame belongs to: a domain's identifier, below 1023.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Owner(u16);

impl Owner {
    /// dom0.
    pub const DOM0: Self = Self(0);
    /// No domain: the hypervisor, or several.
    pub const NOBODY: Self = Self((1 << OWNER_BITS) - 1);

    /// A domain; `None` if the identifier does not fit.
    #[must_use]
    pub const fn domain(id: u32) -> Option<Self> {
        if id < Self::NOBODY.0 as u32 { Some(Self(id as u16)) } else { None }
    }

    /// The domain's identifier; `None` for nobody.
    #[must_use]
    pub const fn id(self) -> Option<u32> {
        if self.0 == Self::NOBODY.0 { None } else { Some(self.0 as u32) }
    }
}

/// What is known of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRecord {
    /// Use.
    pub kind: FrameKind,
    /// How many hold on to it: translations, live requests, the claim itself.
    pub references: u16,
    /// Whose it is.
    pub owner: Owner,
    /// Counted up (modulo 256) at each release: a note that carries it can be told to be stale.
    pub generation: u8,
}

impl FrameRecord {
    /// The word. References above [`MAX_REFERENCES`] cannot arise.
    #[must_use]
    pub const fn encode(self) -> u32 {
        self.kind as u32
            | ((self.references & MAX_REFERENCES) as u32) << REFERENCE_SHIFT
            | (self.owner.0 as u32) << OWNER_SHIFT
            | (self.generation as u32) << GENERATION_SHIFT
    }

    /// Reads a word; `None` if its kind is none (the table was overwritten).
    #[must_use]
    pub const fn decode(word: u32) -> Option<Self> {
        let Some(kind) = FrameKind::from_number((word & ((1 << KIND_BITS) - 1)) as u8) else {
            return None;
        };
        Some(Self {
            kind,
            references: (word >> REFERENCE_SHIFT) as u16 & MAX_REFERENCES,
            owner: Owner((word >> OWNER_SHIFT) as u16 & ((1 << OWNER_BITS) - 1)),
            generation: (word >> GENERATION_SHIFT) as u8,
        })
    }
}
