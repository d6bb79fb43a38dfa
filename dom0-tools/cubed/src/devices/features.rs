//! Feature bits that this daemon offers (virtio 1.2, sections 5.2.3 and 6). The hypervisor
//! implements those of the transport that are offered here.

/// What every device here offers of the transport: indirect descriptors, event index, version 1.
pub const TRANSPORT: u64 = 1 << 28 | 1 << 29 | 1 << 32;

/// VIRTIO_BLK_F_SIZE_MAX.
pub const BLK_SIZE_MAX: u64 = 1 << 1;
/// VIRTIO_BLK_F_SEG_MAX.
pub const BLK_SEG_MAX: u64 = 1 << 2;
/// VIRTIO_BLK_F_RO.
pub const BLK_RO: u64 = 1 << 5;
/// VIRTIO_BLK_F_BLK_SIZE.
pub const BLK_SIZE: u64 = 1 << 6;
/// VIRTIO_BLK_F_FLUSH.
pub const BLK_FLUSH: u64 = 1 << 9;
/// VIRTIO_BLK_F_TOPOLOGY.
pub const BLK_TOPOLOGY: u64 = 1 << 10;
/// VIRTIO_BLK_F_DISCARD.
pub const BLK_DISCARD: u64 = 1 << 13;
/// VIRTIO_BLK_F_WRITE_ZEROES.
pub const BLK_WRITE_ZEROES: u64 = 1 << 14;

/// VIRTIO_BALLOON_F_STATS_VQ.
pub const BALLOON_STATS: u64 = 1 << 1;
/// VIRTIO_BALLOON_F_DEFLATE_ON_OOM.
pub const BALLOON_DEFLATE_ON_OOM: u64 = 1 << 2;
/// VIRTIO_BALLOON_F_REPORTING.
pub const BALLOON_REPORTING: u64 = 1 << 5;
