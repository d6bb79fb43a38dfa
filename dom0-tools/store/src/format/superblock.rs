//! The superblock: what the store is, and which journal area counts.
//!
//! Two equal copies, at blocks 0 and 1, written one after the other, so one is always whole; the
//! valid one with the highest generation counts. Invariant: a journal area counts only with the
//! superblock's own generation, so an older journal never passes for the present one.

use super::Geometry;
use zerocopy::little_endian::{U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// The layout that this program reads and writes.
pub(crate) const VERSION: u32 = 1;
const MAGIC: [u8; 8] = *b"HYPCSWAP";

/// As it lies on disk, in a block of 4 KiB.
#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Raw {
    magic: [u8; 8],
    version: U32,
    checksum: U32,
    generation: U64,
    store: [u8; 16],
    boot: [u8; 16],
    bytes: U64,
    area: U64,
    slots_at: U64,
    slots: U64,
    rest: [u8; 4000],
    end: U64,
}

const _: () = assert!(size_of::<Raw>() == tesseract::BLOCK as usize);

/// A superblock.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Superblock {
    /// Counts journal areas: the area of generation g is number g % 2.
    pub(crate) generation: u64,
    /// The store's identity.
    pub(crate) store: [u8; 16],
    /// The boot of dom0 in which this generation was begun.
    pub(crate) boot: [u8; 16],
    pub(crate) geometry: Geometry,
}

/// What a block that should be a superblock is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Valid(Superblock),
    OtherVersion(u32),
    Broken,
    Foreign,
}

impl Superblock {
    /// Which journal area is this generation's.
    pub(crate) const fn area(&self) -> u8 {
        (self.generation % 2) as u8
    }

    /// First bytes of the copies, in the order of writing.
    pub(crate) const fn places(&self) -> [u64; 2] {
        [0, tesseract::BLOCK]
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut raw = Raw::new_zeroed();
        raw.magic = MAGIC;
        raw.version = VERSION.into();
        raw.generation = self.generation.into();
        (raw.store, raw.boot) = (self.store, self.boot);
        let g = self.geometry;
        (raw.bytes, raw.area, raw.slots_at, raw.slots) =
            (g.bytes.into(), g.area.into(), g.slots_at.into(), g.slots.into());
        raw.checksum = crc32c::crc32c(raw.as_bytes()).into();
        raw.as_bytes().to_vec()
    }

    pub(crate) fn decode(block: &[u8]) -> Found {
        let Ok(mut raw) = Raw::read_from_bytes(block) else {
            return Found::Foreign;
        };
        if raw.magic != MAGIC {
            return Found::Foreign;
        }
        if raw.version != VERSION {
            return Found::OtherVersion(raw.version.get());
        }
        let checksum = std::mem::take(&mut raw.checksum);
        let geometry = Geometry {
            bytes: raw.bytes.get(),
            area: raw.area.get(),
            slots_at: raw.slots_at.get(),
            slots: raw.slots.get(),
        };
        if checksum != crc32c::crc32c(raw.as_bytes()) || Geometry::of(geometry.bytes) != Some(geometry) {
            return Found::Broken;
        }
        Found::Valid(Self { generation: raw.generation.get(), store: raw.store, boot: raw.boot, geometry })
    }
}

pub(crate) use Found as SuperblockFound;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sample() -> Superblock {
        let geometry = Geometry::of(64 << 20).unwrap();
        Superblock { generation: 7, store: [3; 16], boot: [4; 16], geometry }
    }

    #[test]
    fn superblocks_survive_and_any_flipped_bit_shows() {
        let bytes = sample().encode();
        assert_eq!(Superblock::decode(&bytes), Found::Valid(sample()));
        for at in (0..bytes.len()).step_by(7) {
            let mut bad = bytes.clone();
            bad[at] ^= 0x10;
            assert!(!matches!(Superblock::decode(&bad), Found::Valid(_)), "byte {at}");
        }
    }

    #[test]
    fn zeroes_and_strangers_are_no_superblocks() {
        assert_eq!(Superblock::decode(&[0; 4096]), Found::Foreign);
        assert_eq!(Superblock::decode(&[1; 4096]), Found::Foreign);
    }
}
