//! The breaches, one entry each.

use super::rings::{self, Descriptor, INDIRECT, NEXT, SIZE, WRITE};
use crate::boot::command_line;
use crate::device::virtio::{Device, reg};
use crate::report::Outcome;
use crate::{clock, fail, println};
use abi::platform::{LOW_RAM_END, VIRTIO_BASE};

/// VIRTIO_F_INDIRECT_DESC.
const INDIRECT_FEATURE: u64 = 1 << 28;
/// DEVICE_NEEDS_RESET: what is in the registers is no queue, and the device has stopped.
const NEEDS_RESET: u32 = 64;
/// More than any guest's memory.
const BEYOND: u64 = 0x70_0000_0000;

/// Fills the rings; the device has them already, and is notified afterwards.
type Breach = fn();

/// One descriptor at 0, offered once.
fn one(address: u64, len: u32, flags: u16, next: u16) {
    rings::describe(rings::descriptors(), 0, Descriptor { address, len, flags, next });
    rings::offer(0, 0, 1);
}

/// An indirect table whose entry 0 is `entry`, of `bytes` bytes.
fn indirect(bytes: u32, entry: Descriptor) {
    rings::describe(rings::table(), 0, entry);
    one(rings::table(), bytes, INDIRECT, 0);
}

fn plain(flags: u16, next: u16) -> Descriptor {
    Descriptor { address: rings::data(), len: 16, flags, next }
}

/// Wrong chains: the queue's place is right.
const CHAINS: &[(&str, Breach)] = &[
    // Chains without end: to itself, and a circle of two.
    ("loop", || one(rings::data(), 16, NEXT | WRITE, 0)),
    ("circle", || {
        rings::describe(rings::descriptors(), 1, plain(NEXT | WRITE, 0));
        one(rings::data(), 16, NEXT | WRITE, 1);
    }),
    // Buffers where no memory is: in the hole, in a device, beyond memory, around the end of the address space.
    ("hole", || one(LOW_RAM_END + 0x1000_0000, 512, WRITE, 0)),
    ("device", || one(VIRTIO_BASE, 512, WRITE, 0)),
    ("wild", || one(BEYOND, 512, WRITE, 0)),
    ("wrap", || one(u64::MAX - 15, 64, WRITE, 0)),
    ("huge", || one(rings::data(), u32::MAX, WRITE, 0)),
    // Indices that name no descriptor.
    ("head", || rings::offer(0, SIZE, 1)),
    ("head-wild", || rings::offer(0, 0xffff, 1)),
    ("next", || one(rings::data(), 16, NEXT | WRITE, SIZE)),
    ("next-wild", || one(rings::data(), 16, NEXT | WRITE, 0xffff)),
    // The available index runs ahead by more than the queue's size, or backwards.
    ("jump", || rings::offer(0, 0, SIZE + 1)),
    ("backwards", || rings::offer(0, 0, 0xffff)),
    // A readable buffer behind a writable one.
    ("order", || {
        rings::describe(rings::descriptors(), 1, plain(0, 0));
        one(rings::data(), 16, NEXT | WRITE, 1);
    }),
    // Indirect tables: in each other, with a successor, of a broken, empty or huge size, outside memory, circular.
    ("indirect-nested", || indirect(16, Descriptor { address: rings::table(), len: 16, flags: INDIRECT, next: 0 })),
    ("indirect-next", || {
        rings::describe(rings::descriptors(), 1, plain(WRITE, 0));
        rings::describe(rings::table(), 0, plain(WRITE, 0));
        one(rings::table(), 16, INDIRECT | NEXT, 1);
    }),
    ("indirect-broken", || indirect(17, plain(WRITE, 0))),
    ("indirect-empty", || indirect(0, plain(WRITE, 0))),
    ("indirect-huge", || indirect(0xffff_fff0, plain(WRITE | NEXT, 1))),
    ("indirect-wild", || one(BEYOND, 16, INDIRECT, 0)),
    ("indirect-device", || one(VIRTIO_BASE, 64, INDIRECT, 0)),
    ("indirect-loop", || indirect(16, plain(WRITE | NEXT, 0))),
    ("indirect-outside", || indirect(16, plain(WRITE | NEXT, 1))),
];

/// Wrong places of descriptor table, available ring, used ring.
const PLACES: &[(&str, [Option<u64>; 3])] = &[
    ("table-hole", [Some(LOW_RAM_END + 0x1000_0000), None, None]),
    ("table-device", [Some(VIRTIO_BASE), None, None]),
    ("table-beyond", [Some(BEYOND), None, None]),
    ("table-wrap", [Some(u64::MAX - 15), None, None]),
    ("available-device", [None, Some(VIRTIO_BASE), None]),
    ("available-beyond", [None, Some(BEYOND), None]),
    ("available-odd", [None, Some(0x1f_ff01), None]),
    ("used-device", [None, None, Some(VIRTIO_BASE)]),
    ("used-beyond", [None, None, Some(BEYOND)]),
    ("used-wrap", [None, None, Some(u64::MAX - 3)]),
];

/// Wrong sizes.
const SIZES: &[(&str, u32)] = &[("size-zero", 0), ("size-odd", 3), ("size-huge", 0x8000_0000)];

pub fn run(name: &str) -> Outcome {
    let id = command_line::number("device", 0) as u32;
    let Some(device) = Device::find(id) else { fail!("no virtio device") };
    if device.negotiate(INDIRECT_FEATURE).is_none() {
        fail!("the device refuses the features");
    }
    let chain = CHAINS.iter().find(|(breach, _)| *breach == name).map(|(_, fill)| *fill);
    let place = PLACES.iter().find(|(breach, _)| *breach == name).map(|(_, place)| *place);
    let size = SIZES.iter().find(|(breach, _)| *breach == name).map(|(_, size)| *size);
    if chain.is_none() && place.is_none() && size.is_none() {
        fail!("there is no such breach");
    }
    println!("READY virtqueue-{name} on device {}", device.read(reg::DEVICE_ID));
    let [table, available, used] = place.unwrap_or_default();
    device.queue(
        0,
        size.unwrap_or(u32::from(SIZE)),
        table.unwrap_or_else(rings::descriptors),
        available.unwrap_or_else(rings::available),
        used.unwrap_or_else(rings::used),
    );
    device.ready();
    match chain {
        Some(fill) => fill(),
        None => one(rings::data(), 16, WRITE, 0),
    }
    device.write(reg::NOTIFY, 0);
    let stopped = || chain.is_none() && device.read(reg::STATUS) & NEEDS_RESET != 0;
    clock::wait_until(2_000_000_000, || rings::used_index() != 0 || stopped());
    clock::wait(100_000_000);
    if stopped() && rings::used_index() == 0 {
        return Ok(());
    }
    fail!("the domain lives: status {:#x}, used index {}", device.read(reg::STATUS), rings::used_index())
}
