//! From a checked domain file to what the hypervisor is told of each device.

use crate::devices::{block, features};
use abi::domain::DeviceConfig;
use abi::platform::{VIRTIO_BALLOON, VIRTIO_BLOCK, VIRTIO_CONSOLE, VIRTIO_ENTROPY};
use protocol::DeviceKind;

/// A device as `ADD_DEVICE` wants it.
#[derive(Debug, Clone)]
pub struct Added {
    /// virtio device id.
    pub device: u32,
    /// Virtqueues.
    pub queues: u64,
    /// Entries of each at most.
    pub queue_max: u64,
    /// Feature bits.
    pub features: u64,
    /// Configuration space.
    pub config: DeviceConfig,
}

/// What the hypervisor is told of a device; `sectors` and `readonly` matter to disks only.
#[must_use]
pub fn added(kind: DeviceKind, sectors: u64, readonly: bool) -> Added {
    let (device, queues, queue_max, features, config) = match kind {
        DeviceKind::Block => {
            let config = block::config::space(sectors);
            (VIRTIO_BLOCK, 1, block::config::QUEUE_MAX, block::config::features(readonly), config)
        }
        DeviceKind::Console => (VIRTIO_CONSOLE, 2, 64, features::TRANSPORT, empty(12)),
        DeviceKind::Entropy => (VIRTIO_ENTROPY, 1, 16, features::TRANSPORT, empty(0)),
        DeviceKind::Balloon => {
            let all = features::BALLOON_STATS | features::BALLOON_DEFLATE_ON_OOM | features::BALLOON_REPORTING;
            (VIRTIO_BALLOON, 4, 128, features::TRANSPORT | all, empty(16))
        }
    };
    Added { device, queues, queue_max, features, config }
}

fn empty(len: u32) -> DeviceConfig {
    DeviceConfig { len, reserved: 0, bytes: [0; 248] }
}
