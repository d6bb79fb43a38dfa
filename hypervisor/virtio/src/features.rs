//! Feature bits of the transport (section 6), and which of them a driver must accept. Depends on nothing.

/// Descriptors may point to tables of descriptors.
pub const RING_INDIRECT_DESC: u64 = 1 << 28;
/// Notifications are suppressed by ring indices instead of flags.
pub const RING_EVENT_IDX: u64 = 1 << 29;
/// The device is not a legacy one. Always offered, always required.
pub const VERSION_1: u64 = 1 << 32;

/// Bits that belong to the transport (24 to 49); the others are the device type's.
const TRANSPORT: u64 = (1 << 50) - (1 << 24);

/// The transport's features that this crate implements.
pub const IMPLEMENTED: u64 = RING_INDIRECT_DESC | RING_EVENT_IDX | VERSION_1;

/// True if every transport feature in `features` is one that this crate implements.
#[must_use]
pub const fn offerable(features: u64) -> bool {
    features & TRANSPORT & !IMPLEMENTED == 0
}

/// The device type of disks.
const BLOCK: u32 = 2;
/// A disk's driver can ask for its writes to be made durable.
const BLOCK_FLUSH: u64 = 1 << 9;

/// True if the driver of a device of type `id` may settle for `accepted` where `offered` was
/// offered. A disk's driver must take FLUSH: without it each write would have to be durable
/// before it is answered (section 5.2.6.2), and dom0 answers before.
#[must_use]
pub const fn acceptable(id: u32, offered: u64, accepted: u64) -> bool {
    let required = if id == BLOCK { VERSION_1 | offered & BLOCK_FLUSH } else { VERSION_1 };
    accepted & !offered == 0 && required & !accepted == 0
}
