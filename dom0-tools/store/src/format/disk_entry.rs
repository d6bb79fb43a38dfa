//! What the store knows of a disk image.

use zerocopy::little_endian::{U16, U64};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

/// Bytes of an entry.
pub(super) const ENTRY: usize = 256;
/// Entries of a journal block.
pub(crate) const ENTRIES: usize = 15;
/// Longest path in bytes.
pub(crate) const LONGEST_PATH: usize = 200;

#[derive(Clone, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Raw {
    disk: U16,
    flags: U16,
    path_len: U16,
    zero: U16,
    bytes: U64,
    stamp: [u8; 16],
    next_stamp: [u8; 16],
    path: [u8; LONGEST_PATH],
    rest: [u8; 8],
}

const _: () = assert!(size_of::<Raw>() == ENTRY);

const KNOWN: u16 = 1;
const CHANGING: u16 = 2;

/// A disk image that the store may hold references of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskEntry {
    /// Its number in references.
    pub disk: u16,
    /// False: forgotten (the last word about this number).
    pub known: bool,
    /// Size when it was last attached.
    pub bytes: u64,
    /// The stamp that its image carries.
    pub stamp: [u8; 16],
    /// While the image's stamp is being changed: the other one that it may carry.
    pub next_stamp: Option<[u8; 16]>,
    /// Where it was last attached from.
    pub path: String,
}

impl DiskEntry {
    pub(super) fn encode(&self) -> [u8; ENTRY] {
        let mut raw = Raw::new_zeroed();
        raw.disk = self.disk.into();
        let changing = if self.next_stamp.is_some() { CHANGING } else { 0 };
        raw.flags = ((u16::from(self.known) * KNOWN) | changing).into();
        raw.bytes = self.bytes.into();
        raw.stamp = self.stamp;
        raw.next_stamp = self.next_stamp.unwrap_or_default();
        let path = self.path.as_bytes();
        for (to, from) in raw.path.iter_mut().zip(path) {
            *to = *from;
        }
        raw.path_len = u16::try_from(path.len().min(LONGEST_PATH)).unwrap_or(0).into();
        let mut bytes = [0; ENTRY];
        bytes.copy_from_slice(raw.as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; ENTRY]) -> Option<Self> {
        let raw = Raw::read_from_bytes(bytes).ok()?;
        let path = raw.path.get(..usize::from(raw.path_len.get()))?;
        let flags = raw.flags.get();
        Some(Self {
            disk: raw.disk.get(),
            known: flags & KNOWN != 0,
            bytes: raw.bytes.get(),
            stamp: raw.stamp,
            next_stamp: (flags & CHANGING != 0).then_some(raw.next_stamp),
            path: String::from_utf8(path.to_vec()).ok()?,
        })
    }

    /// True if an image with this stamp is this disk's.
    #[must_use]
    pub fn carries(&self, stamp: &[u8; 16]) -> bool {
        self.stamp == *stamp || self.next_stamp.as_ref() == Some(stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_survive_encoding() {
        for next_stamp in [None, Some([9; 16])] {
            let path = "x".repeat(LONGEST_PATH);
            let entry = DiskEntry { disk: 7, known: true, bytes: 1 << 40, stamp: [1; 16], next_stamp, path };
            assert_eq!(DiskEntry::decode(&entry.encode()), Some(entry));
        }
    }
}
