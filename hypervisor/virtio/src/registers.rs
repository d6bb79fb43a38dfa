//! Offsets of the MMIO transport's registers (section 4.2.2). 32 bits each, little endian.

/// Read: [`MAGIC_VALUE`].
pub const MAGIC: u64 = 0x000;
/// Read: 2.
pub const VERSION: u64 = 0x004;
/// Read: the device type.
pub const DEVICE_ID: u64 = 0x008;
/// Read: [`VENDOR`].
pub const VENDOR_ID: u64 = 0x00c;
/// Read: the selected half of the offered features.
pub const DEVICE_FEATURES: u64 = 0x010;
/// Write: which half.
pub const DEVICE_FEATURES_SEL: u64 = 0x014;
/// Write: the selected half of the accepted features.
pub const DRIVER_FEATURES: u64 = 0x020;
/// Write: which half.
pub const DRIVER_FEATURES_SEL: u64 = 0x024;
/// Write: which queue the queue registers mean.
pub const QUEUE_SEL: u64 = 0x030;
/// Read: most entries of the queue; 0 if there is no such queue.
pub const QUEUE_NUM_MAX: u64 = 0x034;
/// Write: entries of the queue.
pub const QUEUE_NUM: u64 = 0x038;
/// Read and write: 1 if the queue is in use.
pub const QUEUE_READY: u64 = 0x044;
/// Write: a queue has new buffers.
pub const QUEUE_NOTIFY: u64 = 0x050;
/// Read: why there was an interrupt.
pub const INTERRUPT_STATUS: u64 = 0x060;
/// Write: reasons seen.
pub const INTERRUPT_ACK: u64 = 0x064;
/// Read and write: device status.
pub const STATUS: u64 = 0x070;
/// Write: address of the descriptor area.
pub const QUEUE_DESC_LOW: u64 = 0x080;
/// Its high half.
pub const QUEUE_DESC_HIGH: u64 = 0x084;
/// Write: address of the driver area (available ring).
pub const QUEUE_DRIVER_LOW: u64 = 0x090;
/// Its high half.
pub const QUEUE_DRIVER_HIGH: u64 = 0x094;
/// Write: address of the device area (used ring).
pub const QUEUE_DEVICE_LOW: u64 = 0x0a0;
/// Its high half.
pub const QUEUE_DEVICE_HIGH: u64 = 0x0a4;
/// First of four registers of shared memory; all ones: there is none.
pub const SHM_LEN_LOW: u64 = 0x0b0;
/// Last of them.
pub const SHM_BASE_HIGH: u64 = 0x0bc;
/// Read: changes with every change of the configuration space.
pub const CONFIG_GENERATION: u64 = 0x0fc;
/// Start of the configuration space.
pub const CONFIG: u64 = 0x100;

/// Value of [`MAGIC`]: "virt".
pub const MAGIC_VALUE: u32 = 0x7472_6976;
/// Value of [`VENDOR_ID`]: "HYPC".
pub const VENDOR: u32 = 0x4350_5948;

/// Interrupt reason: buffers were used.
pub const INTERRUPT_USED: u32 = 1;
/// Interrupt reason: the configuration space or the device status changed.
pub const INTERRUPT_CONFIG: u32 = 2;
