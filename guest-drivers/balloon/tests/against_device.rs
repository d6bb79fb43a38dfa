//! The driver against the hypervisor's device side: registers, queues and balloon, all real but the machine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Host, HostHal, Wire, nothing_lent};
use guest_balloon::{Balloon, Features, tag};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use virtio::balloon::{self, Frames, feature};
use virtio_drivers::Error;

fn start(features: u64) -> (Rc<RefCell<Host>>, Balloon<HostHal, Wire>) {
    let host = Host::new(features);
    let driver = Balloon::new(Wire(host.clone())).unwrap();
    assert!(host.borrow().device.ready());
    (host, driver)
}

fn inflate(driver: &mut Balloon<HostHal, Wire>, frames: &[u32]) -> virtio_drivers::Result<()> {
    // SAFETY: this host only keeps a list; the numbers name no memory of this process.
    unsafe { driver.inflate(frames) }
}

#[test]
fn features_are_agreed_on() {
    let (host, driver) = start(feature::OFFERED);
    assert_eq!(driver.features(), Features::all());
    assert_eq!(host.borrow().device.features(), Features::all().bits());
    let (_, driver) = start(virtio::features::RING_EVENT_IDX);
    assert_eq!(driver.features(), Features::VERSION_1);
    let block = Rc::new(RefCell::new(Host { device: virtio::Device::new(2, 1, 64, 0, &[0; 8]).unwrap(), ..blank() }));
    assert_eq!(Balloon::<HostHal, _>::new(Wire(block)).err(), Some(Error::Unsupported));
}

fn blank() -> Host {
    Rc::into_inner(Host::new(0)).unwrap().into_inner()
}

#[test]
fn pages_go_and_come_back() {
    let (host, mut driver) = start(feature::OFFERED);
    host.borrow_mut().device.set_config(0, &600u32.to_le_bytes()).unwrap();
    assert_eq!(driver.target(), Ok(600));
    let frames: Vec<u32> = (1000..1600).collect();
    inflate(&mut driver, &frames).unwrap();
    assert_eq!(host.borrow().ballooned, frames.iter().copied().collect::<BTreeSet<_>>());
    assert_eq!((driver.actual(), balloon::actual(host.borrow().device.config().bytes())), (600, 600));
    driver.deflate(&frames[..300]).unwrap();
    assert_eq!(host.borrow().ballooned, frames[300..].iter().copied().collect::<BTreeSet<_>>());
    assert_eq!(balloon::actual(host.borrow().device.config().bytes()), 300);
    inflate(&mut driver, &[]).unwrap();
    assert_eq!(driver.actual(), 300);
}

#[test]
fn the_rings_wrap() {
    let (host, mut driver) = start(feature::OFFERED);
    for n in 0..70_000u32 {
        inflate(&mut driver, &[n]).unwrap();
    }
    assert_eq!(host.borrow().ballooned.len(), 70_000);
}

#[test]
fn statistics_come_when_asked_for() {
    let (host, mut driver) = start(feature::OFFERED);
    assert!(driver.statistics_wanted());
    assert_eq!(driver.publish(&[(tag::FREE, 7), (tag::TOTAL, 9)]), Ok(true));
    let value = |tag: u16| host.borrow().poll.latest().0[usize::from(tag)];
    assert_eq!((value(tag::FREE), value(tag::TOTAL), value(tag::CACHES)), (7, 9, u64::MAX));
    assert!(!driver.statistics_wanted());
    assert_eq!(driver.publish(&[(tag::FREE, 8)]), Ok(false));
    for round in 0..10 {
        host.borrow_mut().ask();
        assert!(driver.statistics_wanted());
        assert_eq!(driver.publish(&[(tag::FREE, round)]), Ok(true));
        assert_eq!((value(tag::FREE), value(tag::TOTAL)), (round, u64::MAX));
    }
    host.borrow_mut().ask();
    assert_eq!(driver.publish(&[(0, 0); 17]), Err(Error::InvalidParam));
    assert_eq!(driver.publish(&[]), Err(Error::InvalidParam));
    assert_eq!(driver.publish(&[(tag::SWAP_IN, 1); 16]), Ok(true));
}

#[repr(align(4096))]
#[derive(Clone)]
struct Pages([u8; 3 * 4096]);

#[test]
fn free_pages_are_reported() {
    // With and without the statistics queue in front of it.
    for features in [feature::OFFERED, feature::PAGE_REPORTING] {
        let (host, mut driver) = start(features);
        let mut memory = vec![Pages([1; 3 * 4096]); 2];
        let [first, second] = &mut memory[..] else { unreachable!() };
        let runs = [(first.0.as_ptr() as u64 / 4096, 3), (second.0.as_ptr() as u64 / 4096 + 1, 2)];
        driver.report_free(&mut [&mut first.0, &mut second.0[1..]]).unwrap();
        assert_eq!(host.borrow().reported, runs.map(|(first, count)| Frames { first, count }));
        assert_eq!(driver.report_free(&mut []), Err(Error::InvalidParam));
        assert_eq!(driver.report_free(&mut [&mut []]), Err(Error::InvalidParam));
    }
}

#[test]
fn without_their_queues() {
    let (_, mut driver) = start(0);
    assert!(!driver.statistics_wanted());
    assert_eq!(driver.publish(&[(0, 0)]), Err(Error::Unsupported));
    assert_eq!(driver.report_free(&mut [&mut [0; 10]]), Err(Error::Unsupported));
}

#[test]
fn dropping_the_driver_leaves_the_device_with_nothing() {
    let (host, mut driver) = start(feature::OFFERED);
    driver.publish(&[(tag::FREE, 7)]).unwrap();
    drop(driver);
    assert_eq!(host.borrow().device.status(), 0);
    // The statistics buffer was with the device: its loan ends with the device's reset, not by unsharing.
    let again = Balloon::<HostHal, _>::new(Wire(host.clone())).unwrap();
    drop(again);
    let (_, driver) = start(0);
    drop(driver);
}

#[test]
fn no_memory_stays_lent() {
    let (_, mut driver) = start(feature::OFFERED);
    inflate(&mut driver, &[1, 2, 3]).unwrap();
    driver.report_free(&mut [&mut [0; 10]]).unwrap();
    drop(driver);
    assert!(nothing_lent());
}
