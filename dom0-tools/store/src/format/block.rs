//! Journal blocks: 4 KiB each, written once, checksummed, bound to their generation and place.

use super::disk_entry::{DiskEntry, ENTRIES, ENTRY};
use tesseract::{BLOCK, RECORD_SIZE, Record};
use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

const MAGIC: u32 = 0x4c4a_4348;
const HEADER: usize = 32;
const BODY: usize = BLOCK as usize - HEADER;

/// Records of a block.
pub(crate) const RECORDS: usize = BODY / RECORD_SIZE;

const KIND_RECORDS: u16 = 1;
const KIND_DISKS: u16 = 2;

#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Raw {
    magic: U32,
    checksum: U32,
    generation: U64,
    index: U64,
    count: U16,
    kind: U16,
    zero: U32,
    body: [u8; BODY],
}

const _: () = assert!(size_of::<Raw>() == BLOCK as usize);

/// What a block holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Body {
    Records(Vec<Record>),
    Disks(Vec<DiskEntry>),
}

/// Up to [`RECORDS`] records as the block at `index` of its area.
pub(crate) fn encode(generation: u64, index: u64, records: &[Record]) -> Vec<u8> {
    let mut raw = Raw::new_zeroed();
    let count = records.len().min(RECORDS);
    for (to, record) in raw.body.as_chunks_mut::<RECORD_SIZE>().0.iter_mut().zip(records) {
        *to = record.encode();
    }
    seal(raw, generation, index, count, KIND_RECORDS)
}

/// Up to [`ENTRIES`] disks as the block at `index` of its area.
pub(crate) fn encode_disks(generation: u64, index: u64, disks: &[DiskEntry]) -> Vec<u8> {
    let mut raw = Raw::new_zeroed();
    let count = disks.len().min(ENTRIES);
    for (to, disk) in raw.body.as_chunks_mut::<ENTRY>().0.iter_mut().zip(disks) {
        *to = disk.encode();
    }
    seal(raw, generation, index, count, KIND_DISKS)
}

fn seal(mut raw: Raw, generation: u64, index: u64, count: usize, kind: u16) -> Vec<u8> {
    raw.magic = MAGIC.into();
    raw.generation = generation.into();
    raw.index = index.into();
    raw.count = u16::try_from(count).unwrap_or(0).into();
    raw.kind = kind.into();
    raw.checksum = crc32c::crc32c(raw.as_bytes()).into();
    raw.as_bytes().to_vec()
}

/// What the block holds; `None` unless it is whole and belongs at this place of this generation.
pub(crate) fn decode(block: &[u8], generation: u64, index: u64) -> Option<Body> {
    let mut raw = Raw::read_from_bytes(block).ok()?;
    let checksum = std::mem::take(&mut raw.checksum);
    if raw.magic != MAGIC
        || raw.generation != generation
        || raw.index != index
        || checksum != crc32c::crc32c(raw.as_bytes())
    {
        return None;
    }
    let count = usize::from(raw.count.get());
    match raw.kind.get() {
        KIND_RECORDS => {
            let list: Option<Vec<_>> = raw.body.as_chunks().0.get(..count)?.iter().map(Record::decode).collect();
            list.map(Body::Records)
        }
        KIND_DISKS => {
            let list: Option<Vec<_>> = raw.body.as_chunks().0.get(..count)?.iter().map(DiskEntry::decode).collect();
            list.map(Body::Disks)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_bound_to_generation_and_place() {
        let records = vec![Record::Set { disk: 1, lba: 2, slot: Some(3) }; RECORDS];
        let block = encode(5, 9, &records);
        assert_eq!(decode(&block, 5, 9), Some(Body::Records(records)));
        assert_eq!(decode(&block, 4, 9), None);
        assert_eq!(decode(&block, 5, 8), None);
        for at in (0..block.len()).step_by(5) {
            let mut bad = block.clone();
            bad[at] ^= 1;
            assert_eq!(decode(&bad, 5, 9), None, "byte {at}");
        }
    }
}
