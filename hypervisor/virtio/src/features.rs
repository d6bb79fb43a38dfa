//! Feature bits of the transport (section 6). Depends on nothing.

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

/// True if a driver may settle for `accepted` where `offered` was offered.
#[must_use]
pub const fn acceptable(offered: u64, accepted: u64) -> bool {
    accepted & !offered == 0 && accepted & VERSION_1 != 0
}
