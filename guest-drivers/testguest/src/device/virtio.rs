//! virtio-mmio registers (virtio 1.2, section 4.2.2): finding devices and driving them by hand.

use crate::boot::command_line;
use abi::platform::{VIRTIO_BASE, VIRTIO_SLOTS, VIRTIO_STRIDE};
use core::ptr;

/// Register offsets.
#[allow(missing_docs, reason = "the names are the specification's")]
pub mod reg {
    pub const MAGIC: u64 = 0x00;
    pub const VERSION: u64 = 0x04;
    pub const DEVICE_ID: u64 = 0x08;
    pub const DEVICE_FEATURES: u64 = 0x10;
    pub const DEVICE_FEATURES_SELECT: u64 = 0x14;
    pub const DRIVER_FEATURES: u64 = 0x20;
    pub const DRIVER_FEATURES_SELECT: u64 = 0x24;
    pub const QUEUE_SELECT: u64 = 0x30;
    pub const QUEUE_SIZE: u64 = 0x38;
    pub const QUEUE_READY: u64 = 0x44;
    pub const NOTIFY: u64 = 0x50;
    pub const STATUS: u64 = 0x70;
    pub const DESCRIPTORS: u64 = 0x80;
    pub const AVAILABLE: u64 = 0x90;
    pub const USED: u64 = 0xa0;
    pub const CONFIG: u64 = 0x100;
}

/// Value of [`reg::MAGIC`]: "virt".
pub const MAGIC: u32 = 0x7472_6976;

/// A device's registers.
#[derive(Clone, Copy)]
pub struct Device(u64);

impl Device {
    /// The registers of `slot`, whatever is there.
    pub fn slot(slot: u32) -> Self {
        let base = command_line::number("virtio", VIRTIO_BASE);
        Self(base + u64::from(slot) * command_line::number("stride", VIRTIO_STRIDE))
    }

    /// All slots from 0 up to the first without a device: the platform fills them without gaps.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..VIRTIO_SLOTS).map(Self::slot).take_while(|device| device.read(reg::MAGIC) == MAGIC)
    }

    /// The first device with identifier `id` (0: the first of any kind).
    pub fn find(id: u32) -> Option<Self> {
        Self::all().find(|device| {
            let found = device.read(reg::DEVICE_ID);
            found != 0 && (id == 0 || found == id)
        })
    }

    /// Address of a register.
    pub fn address(self, offset: u64) -> u64 {
        self.0 + offset
    }

    /// Reads a register.
    pub fn read(self, offset: u64) -> u32 {
        // SAFETY: device registers, mapped one to one.
        unsafe { ptr::read_volatile(self.address(offset) as *const u32) }
    }

    /// Writes a register.
    pub fn write(self, offset: u64, value: u32) {
        // SAFETY: as in `read`.
        unsafe { ptr::write_volatile(self.address(offset) as *mut u32, value) }
    }

    /// Writes a 64-bit address to a pair of registers.
    pub fn write_pair(self, offset: u64, value: u64) {
        self.write(offset, value as u32);
        self.write(offset + 4, (value >> 32) as u32);
    }

    /// Resets the device and negotiates VIRTIO_F_VERSION_1, those of `features` that it offers, and,
    /// for a disk, VIRTIO_BLK_F_FLUSH, which it insists on.
    /// Returns the accepted features; `None` if the device refuses them.
    pub fn negotiate(self, features: u64) -> Option<u64> {
        self.write(reg::STATUS, 0);
        self.write(reg::STATUS, 1 | 2);
        let flush = if self.read(reg::DEVICE_ID) == abi::platform::VIRTIO_BLOCK { 1 << 9 } else { 0 };
        let mut accepted = 0;
        for half in 0..2 {
            self.write(reg::DEVICE_FEATURES_SELECT, half);
            let offered = u64::from(self.read(reg::DEVICE_FEATURES)) << (32 * half);
            accepted |= offered & (features | flush | 1 << 32);
            self.write(reg::DRIVER_FEATURES_SELECT, half);
            self.write(reg::DRIVER_FEATURES, (accepted >> (32 * half)) as u32);
        }
        self.write(reg::STATUS, 1 | 2 | 8);
        (self.read(reg::STATUS) & 8 != 0).then_some(accepted)
    }

    /// Sets a queue up; 0 size: leaves it.
    pub fn queue(self, queue: u32, size: u32, descriptors: u64, available: u64, used: u64) {
        self.write(reg::QUEUE_SELECT, queue);
        self.write(reg::QUEUE_SIZE, size);
        self.write_pair(reg::DESCRIPTORS, descriptors);
        self.write_pair(reg::AVAILABLE, available);
        self.write_pair(reg::USED, used);
        self.write(reg::QUEUE_READY, 1);
    }

    /// Tells the device that the driver is ready.
    pub fn ready(self) {
        self.write(reg::STATUS, self.read(reg::STATUS) | 4);
    }
}
