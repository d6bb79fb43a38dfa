//! Which device is in which virtio-mmio slot.
//!
//! Disks come first, so that a guest's first disk is in slot 0 whatever else it has.

use crate::{Disk, Domain};
use abi::platform::{VIRTIO_BALLOON, VIRTIO_BLOCK, VIRTIO_CONSOLE, VIRTIO_ENTROPY, VIRTIO_SLOTS};

/// A device of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device<'a> {
    /// A disk, and its place among the domain's disks.
    Block(usize, &'a Disk),
    /// The console.
    Console,
    /// The entropy source.
    Entropy,
    /// The balloon.
    Balloon,
}

impl Device<'_> {
    /// Its virtio device id.
    #[must_use]
    pub const fn virtio_id(self) -> u32 {
        match self {
            Self::Block(..) => VIRTIO_BLOCK,
            Self::Console => VIRTIO_CONSOLE,
            Self::Entropy => VIRTIO_ENTROPY,
            Self::Balloon => VIRTIO_BALLOON,
        }
    }
}

impl Domain {
    /// The devices by slot, from 0 without gaps: disks, console, entropy, balloon. At most
    /// [`VIRTIO_SLOTS`] in a domain that was checked.
    #[must_use]
    pub fn devices(&self) -> Vec<Device<'_>> {
        let disks = self.disks.iter().enumerate().map(|(n, disk)| Device::Block(n, disk));
        let others =
            [(self.console, Device::Console), (self.entropy, Device::Entropy), (self.balloon, Device::Balloon)];
        disks.chain(others.into_iter().filter_map(|(has, device)| has.then_some(device))).collect()
    }

    /// Slots that are left for disks beside the other devices.
    #[must_use]
    pub fn disk_slots(console: bool, entropy: bool, balloon: bool) -> usize {
        (VIRTIO_SLOTS as usize).saturating_sub([console, entropy, balloon].into_iter().filter(|&has| has).count())
    }
}
