//! A virtio-blk request, checked (virtio 1.2, section 5.2.6).

use super::config::RANGE_SECTORS;
use crate::channel::Request;

/// VIRTIO_BLK_S_OK.
pub const STATUS_OK: u8 = 0;
/// VIRTIO_BLK_S_IOERR.
pub const STATUS_IOERR: u8 = 1;
/// VIRTIO_BLK_S_UNSUPP.
pub const STATUS_UNSUPP: u8 = 2;

/// Bytes of the request header: type, reserved, sector.
pub const HEADER: u64 = 16;
/// Bytes of a disk's serial.
pub const SERIAL: usize = 20;

const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;
const GET_ID: u32 = 8;
const DISCARD: u32 = 11;
const WRITE_ZEROES: u32 = 13;

/// What the guest asks of a disk. Sectors have 512 bytes; ranges lie inside the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Fill the writable bytes but the last.
    Read {
        /// First sector.
        sector: u64,
        /// Bytes, a multiple of 512, not 0.
        len: u32,
    },
    /// Store the readable bytes from [`HEADER`] on.
    Write {
        /// First sector.
        sector: u64,
        /// Bytes, a multiple of 512, not 0.
        len: u32,
    },
    /// What was written is to survive a loss of power.
    Flush,
    /// The content of the range is needed no more (`zero` false), or is to read as zeroes.
    Clear {
        /// First sector.
        sector: u64,
        /// Sectors, not 0.
        sectors: u64,
        /// It must read as zeroes afterwards.
        zero: bool,
        /// The space may be given back.
        unmap: bool,
    },
    /// Tell the serial.
    Serial,
    /// Nothing to do: the status at once.
    Answer(u8),
    /// There is not even room for a status byte: complete with nothing.
    Empty,
}

/// Checks a request against a disk of `sectors` sectors.
#[must_use]
pub fn parse(request: &Request, sectors: u64, readonly: bool) -> Ask {
    if request.writable == 0 {
        return Ask::Empty;
    }
    let (Some(kind), Some(sector)) = (word(&request.header, 0), long(&request.header, 8)) else {
        return Ask::Answer(STATUS_IOERR);
    };
    let data = match kind {
        IN => request.writable - 1,
        _ => request.readable.saturating_sub(HEADER),
    };
    match kind {
        IN | OUT if data == 0 => Ask::Answer(STATUS_OK),
        OUT if readonly => Ask::Answer(STATUS_IOERR),
        IN | OUT => match (inside(sector, data / 512, sectors) && data % 512 == 0, u32::try_from(data)) {
            (true, Ok(len)) if kind == IN => Ask::Read { sector, len },
            (true, Ok(len)) => Ask::Write { sector, len },
            _ => Ask::Answer(STATUS_IOERR),
        },
        FLUSH => Ask::Flush,
        GET_ID => Ask::Serial,
        DISCARD | WRITE_ZEROES if readonly => Ask::Answer(STATUS_IOERR),
        DISCARD | WRITE_ZEROES => clear(request, kind == WRITE_ZEROES, sectors),
        _ => Ask::Answer(STATUS_UNSUPP),
    }
}

/// `struct virtio_blk_discard_write_zeroes`; one of them, as the configuration space says.
fn clear(request: &Request, zero: bool, sectors: u64) -> Ask {
    if request.readable != HEADER + 16 {
        return Ask::Answer(if request.readable.is_multiple_of(16) { STATUS_UNSUPP } else { STATUS_IOERR });
    }
    let bytes = &request.header;
    let (Some(sector), Some(count), Some(flags)) = (long(bytes, 16), word(bytes, 24), word(bytes, 28)) else {
        return Ask::Answer(STATUS_IOERR);
    };
    // Only write-zeroes knows a flag: 1, the range may be unmapped.
    if flags & !u32::from(zero) != 0 {
        return Ask::Answer(STATUS_UNSUPP);
    }
    if count > RANGE_SECTORS || !inside(sector, u64::from(count), sectors) {
        return Ask::Answer(STATUS_IOERR);
    }
    if count == 0 {
        return Ask::Answer(STATUS_OK);
    }
    Ask::Clear { sector, sectors: u64::from(count), zero, unmap: !zero || flags & 1 != 0 }
}

fn inside(sector: u64, count: u64, sectors: u64) -> bool {
    sector.checked_add(count).is_some_and(|end| end <= sectors)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn request(kind: u32, sector: u64, rest: &[u8], readable: u64, writable: u64) -> Request {
        let mut header = Vec::new();
        header.extend(kind.to_le_bytes());
        header.extend(0u32.to_le_bytes());
        header.extend(sector.to_le_bytes());
        header.extend(rest);
        header.truncate(usize::try_from(readable.min(64)).unwrap());
        Request { domain: 1, id: 1, slot: 0, queue: 0, readable, writable, header, segments: Vec::new() }
    }

    fn read_only(request: &Request) -> Ask {
        parse(request, 1000, true)
    }

    fn range(sector: u64, count: u32, flags: u32) -> Vec<u8> {
        [&sector.to_le_bytes()[..], &count.to_le_bytes(), &flags.to_le_bytes()].concat()
    }

    #[test]
    fn well_formed_requests() {
        let ask = |r: Request| parse(&r, 1000, false);
        assert_eq!(ask(request(IN, 8, &[], 16, 4097)), Ask::Read { sector: 8, len: 4096 });
        assert_eq!(ask(request(OUT, 992, &[], 16 + 4096, 1)), Ask::Write { sector: 992, len: 4096 });
        assert_eq!(ask(request(FLUSH, 0, &[], 16, 1)), Ask::Flush);
        assert_eq!(ask(request(GET_ID, 0, &[], 16, 21)), Ask::Serial);
        let clear = |zero, unmap| Ask::Clear { sector: 8, sectors: 16, zero, unmap };
        assert_eq!(ask(request(DISCARD, 0, &range(8, 16, 0), 32, 1)), clear(false, true));
        assert_eq!(ask(request(WRITE_ZEROES, 0, &range(8, 16, 1), 32, 1)), clear(true, true));
        assert_eq!(ask(request(WRITE_ZEROES, 0, &range(8, 16, 0), 32, 1)), clear(true, false));
    }

    #[test]
    fn malformed_requests_get_a_status() {
        let ask = |r: Request| parse(&r, 1000, false);
        assert_eq!(ask(request(IN, 0, &[], 16, 0)), Ask::Empty);
        for bad in [
            request(IN, 0, &[], 15, 513),
            request(IN, 0, &[], 16, 512),
            request(IN, 999, &[], 16, 1025),
            request(IN, u64::MAX, &[], 16, 513),
            request(OUT, 0, &[], 16 + 100, 1),
            request(OUT, u64::MAX / 512, &[], 16 + 512, 1),
            request(DISCARD, 0, &range(0, 1001, 0), 32, 1),
            request(DISCARD, 0, &range(0, 8, 0), 31, 1),
        ] {
            assert_eq!(ask(bad.clone()), Ask::Answer(STATUS_IOERR), "{bad:?}");
        }
        assert_eq!(ask(request(DISCARD, 0, &range(0, 8, 1), 32, 1)), Ask::Answer(STATUS_UNSUPP));
        assert_eq!(ask(request(DISCARD, 0, &range(0, 8, 0), 48, 1)), Ask::Answer(STATUS_UNSUPP));
        assert_eq!(ask(request(99, 0, &[], 16, 1)), Ask::Answer(STATUS_UNSUPP));
        assert_eq!(read_only(&request(OUT, 0, &[], 16 + 512, 1)), Ask::Answer(STATUS_IOERR));
    }

    proptest! {
        #[test]
        fn whatever_arrives_stays_inside_the_disk(
            kind in prop_oneof![0u32..16, any::<u32>()], sector in prop_oneof![0u64..3000, any::<u64>()],
            rest in prop::collection::vec(any::<u8>(), 0..48), readable in 0u64..9000, writable in 0u64..9000, disk in 0u64..2000,
        ) {
            let request = request(kind, sector, &rest, readable, writable);
            match parse(&request, disk, false) {
                Ask::Read { sector, len } => {
                    prop_assert!(sector + u64::from(len) / 512 <= disk && u64::from(len) < writable);
                }
                Ask::Write { sector, len } => {
                    prop_assert!(sector + u64::from(len) / 512 <= disk && u64::from(len) + 16 == readable);
                }
                Ask::Clear { sector, sectors, .. } => prop_assert!(sector + sectors <= disk && sectors > 0),
                _ => {}
            }
        }
    }
}
