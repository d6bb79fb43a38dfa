//! A balloon's long chains: the device breaks in the middle of one (`virtqueue-broken`: it must do no harm and
//! work again after a reset), and one so long that the guest sleeps beside it for minutes (`virtqueue-endless`:
//! dom0 must be able to work, and to end it).

use super::rings::{self, Descriptor, INDIRECT, SIZE};
use crate::cpu;
use crate::device::virtio::{Device, reg};
use crate::report::Outcome;
use crate::{clock, ensure, fail, memory, println};
use abi::platform::VIRTIO_BALLOON;

/// VIRTIO_F_INDIRECT_DESC.
const INDIRECT_FEATURE: u64 = 1 << 28;
const NEEDS_RESET: u32 = 64;
/// The queue for pages that are taken back: frame number 0, which untouched memory is full of, was never given.
const DEFLATE: u32 = 1;

/// Offers `parts` times `bytes` of untouched memory as frame numbers to take back, in one chain, `times` over.
fn deflate(device: Device, parts: u16, bytes: u64, times: u16) -> Outcome {
    ensure!(device.negotiate(INDIRECT_FEATURE | 0b10_0010).is_some(), "the device refuses the features");
    let Some(address) = memory::page(0).filter(|_| memory::pages() * memory::PAGE >= bytes) else {
        fail!("too little memory");
    };
    for number in 0..parts {
        let flags = if number + 1 < parts { rings::NEXT } else { 0 };
        let descriptor = Descriptor { address, len: bytes as u32, flags, next: number + 1 };
        rings::describe(rings::table(), number, descriptor);
    }
    let table = Descriptor { address: rings::table(), len: u32::from(parts) * 16, flags: INDIRECT, next: 0 };
    rings::describe(rings::descriptors(), 0, table);
    for n in 0..times {
        rings::offer(n, 0, n + 1);
    }
    device.queue(DEFLATE, u32::from(SIZE), rings::descriptors(), rings::available(), rings::used());
    Ok(())
}

/// Breaks the device while a chain of several turns is worked off.
pub fn broken() -> Outcome {
    let Some(device) = Device::find(VIRTIO_BALLOON) else { fail!("no balloon") };
    for _ in 0..3 {
        deflate(device, 1, 1 << 20, 1)?;
        device.ready();
        // No status that there is.
        device.write(reg::STATUS, 16);
        ensure!(rings::used_index() == 0, "the chain is done before the device broke");
        ensure!(device.read(reg::STATUS) & NEEDS_RESET != 0, "the device goes on");
        clock::wait(10_000_000);
        ensure!(rings::used_index() == 0, "a broken device goes on with its chain");
    }
    deflate(device, 1, 64 << 10, 1)?;
    device.ready();
    ensure!(clock::wait_until(2_000_000_000, || rings::used_index() == 1), "the device does not work after a reset");
    Ok(())
}

/// Some 7000 million frame numbers, and no interrupt that could end the sleep.
pub fn endless() -> Outcome {
    let Some(device) = Device::find(VIRTIO_BALLOON) else { fail!("no balloon") };
    deflate(device, 64, 56 << 20, SIZE)?;
    println!("READY virtqueue-endless");
    device.ready();
    loop {
        cpu::halt_forever_step();
    }
}
