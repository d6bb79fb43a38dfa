//! Arbitrary values in arbitrary registers of all devices, in arbitrary order; no notification of a set-up queue.

use crate::device::virtio::{Device, reg};
use crate::ensure;
use crate::report::Outcome;

pub fn run() -> Outcome {
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    for (slot, device) in Device::all().enumerate() {
        for _ in 0..2000 {
            let offset = random() % 0x140 * 4;
            let value = if random() % 2 == 0 { random() as u32 } else { 1 << (random() % 32) };
            let _ = device.read(offset);
            // A ready queue at a wild place is a breach, which other cases are about.
            if offset != reg::QUEUE_READY {
                device.write(offset, value);
            }
        }
        device.write(reg::STATUS, 0);
        ensure!(device.read(reg::STATUS) == 0, "slot {slot} does not reset");
        ensure!(device.read(reg::VERSION) == 2, "slot {slot} has version {}", device.read(reg::VERSION));
        if device.read(reg::DEVICE_ID) != 0 {
            ensure!(device.negotiate(0).is_some(), "slot {slot} refuses a driver");
            device.write(reg::STATUS, 0);
        }
    }
    Ok(())
}
