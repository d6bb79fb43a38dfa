//! The MMIO transport: the way stock drivers go, the ways they must not, and random accesses.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use virtio::features::{RING_EVENT_IDX, RING_INDIRECT_DESC, VERSION_1};
use virtio::{Device, Effect, Unfit, registers as reg};

fn device() -> Device {
    Device::new(2, 2, 128, RING_INDIRECT_DESC | RING_EVENT_IDX | 0x40, &[7; 60]).unwrap()
}

fn write(device: &mut Device, offset: u64, value: u32) -> Effect {
    device.write(offset, 4, value.into())
}

fn settle(device: &mut Device, features: u64) {
    assert_eq!(write(device, reg::STATUS, 0), Effect::Reset);
    assert_eq!(write(device, reg::STATUS, 1), Effect::StatusChanged);
    assert_eq!(write(device, reg::STATUS, 3), Effect::StatusChanged);
    for half in 0..2 {
        write(device, reg::DRIVER_FEATURES_SEL, half);
        write(device, reg::DRIVER_FEATURES, (features >> (32 * half)) as u32);
    }
    write(device, reg::STATUS, 11);
}

fn set_up_queue(device: &mut Device, index: u32, num: u32) -> Effect {
    write(device, reg::QUEUE_SEL, index);
    write(device, reg::QUEUE_NUM, num);
    for (n, register) in [reg::QUEUE_DESC_LOW, reg::QUEUE_DRIVER_LOW, reg::QUEUE_DEVICE_LOW].into_iter().enumerate() {
        write(device, register, 0x1_0000 * (n as u32 + 1));
        write(device, register + 4, 1);
    }
    write(device, reg::QUEUE_READY, 1)
}

#[test]
fn the_way_linux_goes() {
    let mut device = device();
    assert_eq!(device.read(reg::MAGIC, 4), 0x7472_6976);
    assert_eq!((device.read(reg::VERSION, 4), device.read(reg::DEVICE_ID, 4)), (2, 2));
    write(&mut device, reg::DEVICE_FEATURES_SEL, 1);
    assert_eq!(device.read(reg::DEVICE_FEATURES, 4), 1);
    write(&mut device, reg::DEVICE_FEATURES_SEL, 0);
    assert_eq!(device.read(reg::DEVICE_FEATURES, 4), 0x3000_0040);
    settle(&mut device, VERSION_1 | RING_EVENT_IDX);
    assert_eq!(device.read(reg::STATUS, 4), 11);
    assert_eq!(device.features(), VERSION_1 | RING_EVENT_IDX);
    write(&mut device, reg::QUEUE_SEL, 1);
    assert_eq!((device.read(reg::QUEUE_NUM_MAX, 4), device.read(reg::QUEUE_READY, 4)), (128, 0));
    assert_eq!(set_up_queue(&mut device, 1, 64), Effect::None);
    assert_eq!(device.read(reg::QUEUE_READY, 4), 1);
    assert!(device.queue(1).is_none(), "not before DRIVER_OK");
    assert_eq!(write(&mut device, reg::QUEUE_NOTIFY, 1), Effect::None);
    assert_eq!(write(&mut device, reg::STATUS, 15), Effect::StatusChanged);
    assert!(device.ready());
    assert_eq!(device.queue(1).unwrap().size(), 64);
    assert_eq!(write(&mut device, reg::QUEUE_NOTIFY, 1), Effect::Notify(1));
    assert_eq!(write(&mut device, reg::QUEUE_NOTIFY, 0), Effect::None, "not set up");
    assert_eq!(write(&mut device, reg::QUEUE_NOTIFY, 1 << 16 | 1), Effect::None);
    device.raise_used();
    assert_eq!(device.read(reg::INTERRUPT_STATUS, 4), 1);
    assert_eq!(write(&mut device, reg::INTERRUPT_ACK, 1), Effect::Ack);
    assert_eq!(device.read(reg::INTERRUPT_STATUS, 4), 0);
    assert_eq!(write(&mut device, reg::QUEUE_READY, 0), Effect::QueueDisabled(1));
    assert_eq!(write(&mut device, reg::STATUS, 0), Effect::Reset);
    assert_eq!(device, self::device());
}

#[test]
fn features_that_were_not_offered_are_not_settled() {
    for features in [VERSION_1 | 1, RING_EVENT_IDX, 0, VERSION_1 | 1 << 34] {
        let mut device = device();
        settle(&mut device, features);
        assert_eq!((device.read(reg::STATUS, 4), device.features()), (3, 0), "{features:#x}");
    }
    let mut device = device();
    settle(&mut device, VERSION_1);
    write(&mut device, reg::STATUS, 0);
    write(&mut device, reg::STATUS, 1);
    write(&mut device, reg::STATUS, 3);
    write(&mut device, reg::DRIVER_FEATURES_SEL, 1);
    write(&mut device, reg::DRIVER_FEATURES, 1);
    write(&mut device, reg::DRIVER_FEATURES_SEL, 2);
    write(&mut device, reg::DRIVER_FEATURES, 1);
    write(&mut device, reg::STATUS, 11);
    assert_eq!(device.read(reg::STATUS, 4), 3);
}

#[test]
fn settled_features_stay() {
    let mut device = device();
    settle(&mut device, VERSION_1);
    write(&mut device, reg::DRIVER_FEATURES_SEL, 0);
    write(&mut device, reg::DRIVER_FEATURES, 0x40);
    assert_eq!(device.features(), VERSION_1);
}

#[test]
fn bad_queues_break_the_device() {
    for num in [0, 3, 256, 1 << 16 | 64] {
        let mut device = device();
        settle(&mut device, VERSION_1);
        assert_eq!(set_up_queue(&mut device, 0, num), Effect::StatusChanged, "{num}");
        assert!(device.broken() && !device.ready());
        assert_eq!(device.read(reg::STATUS, 4), 11 | 64);
    }
    let mut device = device();
    settle(&mut device, VERSION_1);
    assert_eq!(set_up_queue(&mut device, 2, 64), Effect::None, "no such queue: ignored");
    assert_eq!(device.read(reg::QUEUE_NUM_MAX, 4), 0);
}

#[test]
fn a_queue_in_use_does_not_move() {
    let mut device = device();
    settle(&mut device, VERSION_1);
    set_up_queue(&mut device, 0, 64);
    write(&mut device, reg::STATUS, 15);
    let before = device.queue(0).unwrap().clone();
    write(&mut device, reg::QUEUE_NUM, 8);
    write(&mut device, reg::QUEUE_DESC_LOW, 0x10);
    write(&mut device, reg::QUEUE_READY, 1);
    assert_eq!(device.queue(0), Some(&mut before.clone()));
}

#[test]
fn disorder_breaks_the_device_until_reset() {
    let mut device = device();
    settle(&mut device, VERSION_1);
    write(&mut device, reg::STATUS, 15);
    assert_eq!(write(&mut device, reg::STATUS, 3), Effect::StatusChanged);
    assert_eq!(device.read(reg::STATUS, 4), 15 | 64);
    assert_eq!(device.read(reg::INTERRUPT_STATUS, 4), 2, "the driver is told");
    settle(&mut device, VERSION_1);
    assert!(!device.broken());
}

#[test]
fn configuration() {
    let mut device = device();
    assert_eq!(device.read(reg::CONFIG, 2), 0x0707);
    assert_eq!(device.write(reg::CONFIG, 4, 0), Effect::None);
    assert_eq!(device.set_config(0, &[1, 0, 0, 0]), Some(false), "no driver to tell");
    settle(&mut device, VERSION_1);
    write(&mut device, reg::STATUS, 15);
    assert_eq!(device.set_config(0, &[2, 0, 0, 0]), Some(true));
    assert_eq!(device.set_config(58, &[0; 4]), None);
    assert_eq!((device.read(reg::CONFIG_GENERATION, 4), device.read(reg::INTERRUPT_STATUS, 4)), (2, 2));
    let mut balloon = Device::new(5, 4, 128, 0, &[0; 8]).unwrap();
    assert_eq!(balloon.write(reg::CONFIG + 4, 4, 9), Effect::ConfigWrite);
    assert_eq!(balloon.config().bytes(), [0, 0, 0, 0, 9, 0, 0, 0]);
}

#[test]
fn a_disk_s_driver_must_know_flushes() {
    const FLUSH: u64 = 1 << 9;
    for (id, offered, accepted, settled) in [
        (2, FLUSH, 0, false),
        (2, FLUSH | 0x40, 0x40, false),
        (2, FLUSH | 0x40, FLUSH, true),
        (2, 0x40, 0, true),
        (5, FLUSH, 0, true),
    ] {
        let mut device = Device::new(id, 1, 128, offered, &[]).unwrap();
        settle(&mut device, VERSION_1 | accepted);
        assert_eq!(device.read(reg::STATUS, 4), if settled { 11 } else { 3 }, "{id} {offered:#x} {accepted:#x}");
    }
}

#[test]
fn odd_accesses_read_zero() {
    let device = device();
    for (offset, len) in [(reg::MAGIC, 1), (reg::MAGIC, 8), (1, 4), (reg::QUEUE_NOTIFY, 4), (0x200, 4), (u64::MAX, 8)] {
        assert_eq!(device.read(offset, len), 0, "{offset:#x} {len}");
    }
    assert_eq!(device.read(reg::SHM_LEN_LOW, 4), 0xffff_ffff, "no shared memory");
}

#[test]
fn unfit_devices() {
    let new = |queues, max, features, config: &[u8]| Device::new(2, queues, max, features, config).err();
    assert_eq!(new(0, 128, 0, &[]), Some(Unfit::Queues));
    assert_eq!(new(9, 128, 0, &[]), Some(Unfit::Queues));
    assert_eq!(new(1, 100, 0, &[]), Some(Unfit::Size));
    assert_eq!(new(1, 2048, 0, &[]), Some(Unfit::Size));
    assert_eq!(new(1, 128, 1 << 34, &[]), Some(Unfit::Features));
    assert_eq!(new(1, 128, 0, &[0; 249]), Some(Unfit::Config));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn no_access_panics(
        accesses in prop::collection::vec((prop_oneof![0u64..0x210, any::<u64>()], 0usize..10, prop_oneof![0u64..16, any::<u64>()]), 0..200),
    ) {
        let mut device = device();
        for (offset, len, value) in accesses {
            let before = device.clone();
            let effect = device.write(offset, len, value);
            let _ = device.read(offset, len);
            if before.broken() && effect != Effect::Reset {
                prop_assert!(device.broken(), "only a reset mends");
            }
            if let Effect::Notify(queue) = effect {
                prop_assert!(device.queue(queue).is_some());
            }
            prop_assert_eq!(device.config(), before.config());
        }
    }
}
