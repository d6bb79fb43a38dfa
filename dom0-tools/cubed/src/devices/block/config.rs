//! Features and configuration space of a disk (virtio 1.2, sections 5.2.3 and 5.2.4).

use crate::devices::features as f;
use abi::domain::DeviceConfig;

/// Longest segment. With [`SEG_MAX`] it keeps every request, header and status included, within
/// the hypervisor's 250 segments even if no page of it is aligned: 124 * 2 + 2.
pub const SIZE_MAX: u32 = 4096;
/// Most data segments of a request.
pub const SEG_MAX: u32 = 124;
/// Entries of a discard or write-zeroes request: those that fit into the bytes that come with the event.
pub const RANGES: u32 = 1;
/// Longest range of such an entry, in sectors: 1 GiB.
pub const RANGE_SECTORS: u32 = 2 << 20;

/// Entries of the virtqueue at most.
pub const QUEUE_MAX: u64 = 256;

/// Feature bits of a disk.
#[must_use]
pub const fn features(readonly: bool) -> u64 {
    let common = f::TRANSPORT | f::BLK_SIZE_MAX | f::BLK_SEG_MAX | f::BLK_SIZE | f::BLK_TOPOLOGY | f::BLK_FLUSH;
    if readonly { common | f::BLK_RO } else { common | f::BLK_DISCARD | f::BLK_WRITE_ZEROES }
}

/// The configuration space of a disk of `sectors` 512-byte sectors: `struct virtio_blk_config` up
/// to `write_zeroes_may_unmap`.
#[must_use]
pub fn space(sectors: u64) -> DeviceConfig {
    let mut bytes = [0; 248];
    let mut put = |offset: usize, value: &[u8]| {
        for (to, from) in bytes.iter_mut().skip(offset).zip(value) {
            *to = *from;
        }
    };
    put(0, &sectors.to_le_bytes());
    put(8, &SIZE_MAX.to_le_bytes());
    put(12, &SEG_MAX.to_le_bytes());
    put(20, &512u32.to_le_bytes());
    // Topology: physical blocks of 2^3 sectors, aligned, best written singly or more.
    put(24, &[3, 0]);
    put(26, &8u16.to_le_bytes());
    put(34, &1u16.to_le_bytes());
    put(36, &RANGE_SECTORS.to_le_bytes());
    put(40, &RANGES.to_le_bytes());
    put(44, &8u32.to_le_bytes());
    put(48, &RANGE_SECTORS.to_le_bytes());
    put(52, &RANGES.to_le_bytes());
    put(56, &[1]);
    DeviceConfig { len: 60, reserved: 0, bytes }
}
