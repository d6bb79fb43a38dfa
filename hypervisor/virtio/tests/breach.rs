//! Drivers that break the specification: each way is named, and none takes long.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{AVAILABLE, Driver, INDIRECT_TABLES, Ram, TABLE, USED};
use heapless::Vec as List;
use proptest::prelude::*;
use virtio::descriptor::{Descriptor, INDIRECT, NEXT, WRITE};
use virtio::features::{RING_EVENT_IDX, RING_INDIRECT_DESC};
use virtio::{Breach, ChainSegment, GuestMemory, Queue, QueueError, split};

fn descriptor(gpa: u64, len: u32, flags: u16, next: u16) -> Descriptor {
    Descriptor { gpa, len, flags, next }
}

/// What a chain from `table` (descriptors 0 and up) and `inner` (an indirect table) amounts to.
fn breach(features: u64, table: &[Descriptor], inner: &[Descriptor]) -> Breach {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(8));
    for (n, entry) in table.iter().enumerate() {
        Driver::describe(&mut ram, TABLE, n as u16, *entry);
    }
    for (n, entry) in inner.iter().enumerate() {
        Driver::describe(&mut ram, INDIRECT_TABLES, n as u16, *entry);
    }
    driver.offer(&mut ram, 0);
    let queue = driver.queue(features);
    match queue.peek(&mut ram, &mut List::<ChainSegment, 16>::new()) {
        Err(QueueError::Breach(breach)) => {
            assert!(!breach.to_string().is_empty());
            breach
        }
        other => panic!("{other:?}"),
    }
}

const INDIRECT_OK: u64 = RING_INDIRECT_DESC;

#[test]
fn buffers() {
    assert_eq!(breach(0, &[descriptor(0x5000, 0, 0, 0)], &[]), Breach::ZeroLength(0x5000));
    assert_eq!(breach(0, &[descriptor(u64::MAX - 3, 4, 0, 0)], &[]), Breach::Wraps(u64::MAX - 3));
    assert_eq!(breach(0, &[descriptor(0x5_f000, 0x1001, 0, 0)], &[]), Breach::OutsideMemory(0x5_f000));
    let order = [descriptor(0x5000, 1, NEXT | WRITE, 1), descriptor(0x5100, 1, 0, 0)];
    assert_eq!(breach(0, &order, &[]), Breach::Order(0x5100));
}

#[test]
fn chains() {
    assert_eq!(breach(0, &[descriptor(0x5000, 1, NEXT, 0)], &[]), Breach::Loop(0));
    let two = [descriptor(0x5000, 1, NEXT, 1), descriptor(0x5000, 1, NEXT, 0)];
    assert_eq!(breach(0, &two, &[]), Breach::Loop(0));
    assert_eq!(breach(0, &[descriptor(0x5000, 1, NEXT, 8)], &[]), Breach::NextBeyondTable(8));
}

#[test]
fn indirect_tables() {
    let at = INDIRECT_TABLES;
    let to = |len, flags| [descriptor(at, len, flags | INDIRECT, 1)];
    assert_eq!(breach(0, &to(16, 0), &[]), Breach::Indirect(at));
    assert_eq!(breach(INDIRECT_OK, &to(16, NEXT), &[]), Breach::IndirectNext(at));
    for len in [0, 8, 17, 1025 * 16, !15] {
        assert_eq!(breach(INDIRECT_OK, &to(len, 0), &[]), Breach::IndirectLength(len));
    }
    assert_eq!(breach(INDIRECT_OK, &to(16, 0), &[descriptor(at, 16, INDIRECT, 0)]), Breach::Indirect(at));
    assert_eq!(breach(INDIRECT_OK, &to(16, 0), &[descriptor(0x5000, 1, NEXT, 0)]), Breach::Loop(0));
    assert_eq!(breach(INDIRECT_OK, &to(32, 0), &[descriptor(0x5000, 1, NEXT, 2)]), Breach::NextBeyondTable(2));
    let wild = [descriptor(u64::MAX - 15, 16, INDIRECT, 0)];
    assert_eq!(breach(INDIRECT_OK, &wild, &[]), Breach::Wraps(u64::MAX - 15));
    let outside = [descriptor(1 << 40, 16, INDIRECT, 0)];
    assert_eq!(breach(INDIRECT_OK, &outside, &[]), Breach::OutsideMemory(1 << 40));
}

#[test]
fn rings() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(8));
    Driver::describe(&mut ram, TABLE, 0, descriptor(0x5000, 1, 0, 0));
    let mut queue = driver.queue(0);
    let mut list = List::<ChainSegment, 16>::new();
    driver.offer(&mut ram, 0);
    queue.pop(&mut ram, &mut list).unwrap().unwrap();
    driver.offer(&mut ram, 0);
    assert_eq!(queue.pop(&mut ram, &mut list), Err(Breach::HeadInUse(0).into()));
    driver.offer(&mut ram, 0);
    ram.put(AVAILABLE + 4 + 2, &8u16.to_le_bytes());
    assert_eq!(queue.pop(&mut ram, &mut list), Err(Breach::HeadBeyondTable(8).into()));
    ram.put(AVAILABLE + 2, &10u16.to_le_bytes());
    assert_eq!(queue.pop(&mut ram, &mut list), Err(Breach::AvailableJump(10).into()));
    let beyond = Queue::new(8, TABLE, 0x6_0000, USED, 0).unwrap();
    assert_eq!(beyond.peek(&mut ram, &mut list), Err(Breach::OutsideMemory(0x6_0002).into()));
}

/// Memory that says yes to every buffer, for lengths that no small test memory holds.
struct Boundless(Ram);

impl GuestMemory for Boundless {
    fn read(&mut self, gpa: u64, to: &mut [u8]) -> Result<(), virtio::Fault> {
        self.0.read(gpa, to)
    }
    fn write(&mut self, gpa: u64, from: &[u8]) -> Result<(), virtio::Fault> {
        self.0.write(gpa, from)
    }
    fn check(&self, _: u64, _: u64) -> bool {
        true
    }
}

#[test]
fn lengths_that_do_not_add_up() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(8));
    Driver::describe(&mut ram, TABLE, 0, descriptor(0x5000, 1 << 31, NEXT, 1));
    Driver::describe(&mut ram, TABLE, 1, descriptor(0x5000, 1 << 31, 0, 0));
    driver.offer(&mut ram, 0);
    let mut list = List::<ChainSegment, 16>::new();
    let result = driver.queue(0).peek(&mut Boundless(ram), &mut list);
    assert_eq!(result, Err(Breach::TooLong(0).into()));
}

#[test]
fn more_than_a_request_holds() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(256));
    // Each buffer is a piece of its own: they lie in the same place.
    for n in 0..251 {
        let flags = if n < 250 { NEXT } else { 0 };
        Driver::describe(&mut ram, TABLE, n, descriptor(0x5000, 1, flags, n + 1));
    }
    driver.offer(&mut ram, 1);
    driver.offer(&mut ram, 0);
    let mut queue = driver.queue(0);
    let mut list = List::<ChainSegment, 250>::new();
    let most = queue.pop(&mut ram, &mut list).unwrap().unwrap();
    assert_eq!(split::count(&most, &list), Ok(250));
    let more = queue.peek(&mut ram, &mut list).unwrap().unwrap();
    let breach = split::count(&more, &list).unwrap_err();
    assert_eq!(breach, Breach::TooManyPieces(0));
    assert!(breach.to_string().contains("more than 250 pieces"), "{breach}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) })]

    /// Random bytes for rings and tables, biased to be plausible: no panic, bounded accesses, sound segments.
    #[test]
    fn garbage_is_bounded(
        table in prop::collection::vec(
            (0u64..0x7_0000, prop_oneof![Just(16u32), 0u32..0x3000, any::<u32>()], 0u16..8, 0u16..18), 32),
        ring in prop::collection::vec(0u16..18, 40),
        index in 0u16..20,
        wild in any::<Option<(u64, usize)>>(),
        absent in prop::collection::vec(0u64..0x20, 0..4),
        features in prop::sample::select(vec![0, RING_INDIRECT_DESC, RING_EVENT_IDX, RING_INDIRECT_DESC | RING_EVENT_IDX]),
    ) {
        let mut ram = Ram::new(0x60);
        for (n, (gpa, len, flags, next)) in table.iter().enumerate() {
            // Half of the entries lie in a page that indirect tables are likely to point to.
            let table = if n < 16 { TABLE } else { INDIRECT_TABLES };
            let gpa = if flags & INDIRECT != 0 && gpa % 2 == 0 { INDIRECT_TABLES } else { *gpa };
            Driver::describe(&mut ram, table, n as u16 % 16, descriptor(gpa, *len, *flags, *next));
        }
        for (n, head) in ring.iter().enumerate() {
            ram.put(AVAILABLE + 4 + 2 * n as u64, &head.to_le_bytes());
        }
        ram.put(AVAILABLE + 2, &index.to_le_bytes());
        if let Some((gpa, at)) = wild {
            ram.put(TABLE + 16 * (at as u64 % 16), &gpa.to_le_bytes());
        }
        ram.absent.extend(absent);
        let mut queue = Queue::new(16, TABLE, AVAILABLE, USED, features).unwrap();
        let mut list = List::<ChainSegment, 16>::new();
        for _ in 0..40 {
            ram.accesses = 0;
            let popped = queue.pop(&mut ram, &mut list);
            prop_assert!(ram.accesses <= 4 + 16 + 1024, "{} accesses", ram.accesses);
            match popped {
                Ok(Some(chain)) => {
                    prop_assert_eq!(chain.complete, usize::from(chain.segments) == list.len());
                    for segment in &list {
                        prop_assert!(segment.len != 0 && ram.check(segment.gpa, segment.len.into()));
                    }
                    prop_assert!(list.is_sorted_by_key(|segment| segment.writable));
                    let _ = queue.push_used(&mut ram, chain.head, chain.writable);
                }
                Ok(None) => break,
                Err(QueueError::NotPresent(gfn)) => ram.bring(gfn),
                Err(QueueError::Breach(_)) => break,
                Err(QueueError::NotLive(head)) => prop_assert!(false, "{}", head),
            }
        }
    }
}
