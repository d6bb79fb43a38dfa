//! Journal records: the history of disk references, 16 bytes each.
//!
//! Word 0 is tag (4 bits), disk (16), block (40), word 1 depends on the tag; both little endian.

use abi::BlockRef;

/// Bytes of a record at rest.
pub const RECORD_SIZE: usize = 16;

/// One step in the history of disk references.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// The content of the disk's block is from now on in `slot`, or at home again (`None`).
    Set {
        /// The disk.
        disk: u16,
        /// The 4 KiB block.
        lba: u64,
        /// Where its content is.
        slot: Option<u64>,
    },
    /// A point in the history of this disk that a [`Record::Commit`] may name.
    Mark {
        /// The disk.
        disk: u16,
        /// Its number; ascending.
        mark: u64,
    },
    /// All that the history of this disk says up to that mark is durable: this is the state after a loss of power.
    Commit {
        /// The disk.
        disk: u16,
        /// The mark.
        mark: u64,
    },
}

const TAG_SET: u8 = 1;
const TAG_HOME: u8 = 2;
const TAG_MARK: u8 = 3;
const TAG_COMMIT: u8 = 4;

impl Record {
    /// The disk concerned.
    #[must_use]
    pub const fn disk(&self) -> u16 {
        match *self {
            Self::Set { disk, .. } | Self::Mark { disk, .. } | Self::Commit { disk, .. } => disk,
        }
    }

    /// The record at rest. Blocks and slots have 40 significant bits.
    #[must_use]
    pub fn encode(&self) -> [u8; RECORD_SIZE] {
        let (tag, disk, lba, word) = match *self {
            Self::Set { disk, lba, slot: Some(slot) } => (TAG_SET, disk, lba, slot),
            Self::Set { disk, lba, slot: None } => (TAG_HOME, disk, lba, 0),
            Self::Mark { disk, mark } => (TAG_MARK, disk, 0, mark),
            Self::Commit { disk, mark } => (TAG_COMMIT, disk, 0, mark),
        };
        let first = u64::from(tag) << 56 | u64::from(disk) << 40 | lba & ((1 << 40) - 1);
        let mut bytes = [0; RECORD_SIZE];
        let (low, high) = bytes.split_at_mut(8);
        low.copy_from_slice(&first.to_le_bytes());
        high.copy_from_slice(&word.to_le_bytes());
        bytes
    }

    /// The record that the bytes hold; `None` if they hold none.
    #[must_use]
    pub fn decode(bytes: &[u8; RECORD_SIZE]) -> Option<Self> {
        let (low, high) = bytes.split_at(8);
        let first = u64::from_le_bytes(low.try_into().ok()?);
        let word = u64::from_le_bytes(high.try_into().ok()?);
        let name = BlockRef::check(first)?;
        let (disk, lba) = (name.unit(), name.block());
        match name.kind() {
            TAG_SET if word < 1 << 40 => Some(Self::Set { disk, lba, slot: Some(word) }),
            TAG_HOME if word == 0 => Some(Self::Set { disk, lba, slot: None }),
            TAG_MARK if lba == 0 => Some(Self::Mark { disk, mark: word }),
            TAG_COMMIT if lba == 0 => Some(Self::Commit { disk, mark: word }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn records_survive_encoding() {
        for record in [
            Record::Set { disk: 0xffff, lba: (1 << 40) - 1, slot: Some((1 << 40) - 1) },
            Record::Set { disk: 0, lba: 0, slot: Some(0) },
            Record::Set { disk: 3, lba: 7, slot: None },
            Record::Mark { disk: 1, mark: u64::MAX },
            Record::Commit { disk: 2, mark: 9 },
        ] {
            assert_eq!(Record::decode(&record.encode()).unwrap(), record);
        }
    }

    #[test]
    fn zeroes_and_unknown_tags_hold_no_record() {
        assert_eq!(Record::decode(&[0; RECORD_SIZE]), None);
        let mut bytes = Record::Mark { disk: 1, mark: 1 }.encode();
        bytes[7] = 9;
        assert_eq!(Record::decode(&bytes), None);
        bytes[7] = 0x14;
        assert_eq!(Record::decode(&bytes), None);
    }
}
