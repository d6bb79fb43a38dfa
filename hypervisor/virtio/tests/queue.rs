//! A split queue against a driver that keeps to the specification, with pages that come and go.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{AVAILABLE, Driver, Ram};
use heapless::Vec as List;
use proptest::prelude::*;
use std::collections::VecDeque;
use virtio::features::{RING_EVENT_IDX, RING_INDIRECT_DESC};
use virtio::{ChainSegment, GuestMemory, Queue, QueueError};

/// Does `operation` again and again as its pages are brought in, as the hypervisor does.
fn retry<T>(ram: &mut Ram, mut operation: impl FnMut(&mut Ram) -> Result<T, QueueError>) -> T {
    for _ in 0..200 {
        match operation(ram) {
            Ok(value) => return value,
            Err(QueueError::NotPresent(gfn)) => ram.bring(gfn),
            Err(other) => panic!("{other:?}"),
        }
    }
    panic!("no end of missing pages");
}

#[derive(Clone, Debug)]
enum Step {
    Add { segments: Vec<(u64, u32)>, readable: usize, indirect: bool },
    Pop,
    Complete { which: usize, len: u32 },
    Take,
    Swap(Vec<u64>),
}

fn step() -> impl Strategy<Value = Step> {
    let segment = (0x4_0000u64..0x4_f000, 1u32..0x1000);
    prop_oneof![
        3 => (prop::collection::vec(segment, 1..8), 0usize..8, any::<bool>())
            .prop_map(|(segments, readable, indirect)| Step::Add { segments, readable, indirect }),
        3 => Just(Step::Pop),
        3 => (any::<usize>(), any::<u32>()).prop_map(|(which, len)| Step::Complete { which, len }),
        2 => Just(Step::Take),
        1 => prop::collection::vec(0u64..0x30, 0..20).prop_map(Step::Swap),
    ]
}

struct World {
    ram: Ram,
    driver: Driver,
    queue: Queue,
    features: u64,
    posted: VecDeque<(u16, Vec<ChainSegment>)>,
    live: Vec<u16>,
    done: VecDeque<(u16, u32)>,
}

impl World {
    fn add(&mut self, segments: &[(u64, u32)], readable: usize, indirect: bool) {
        let list = segments.iter().enumerate();
        let list: Vec<_> =
            list.map(|(n, (gpa, len))| ChainSegment { gpa: *gpa, len: *len, writable: n >= readable }).collect();
        let indirect = indirect && self.features & RING_INDIRECT_DESC != 0;
        if let Some(head) = self.driver.add(&mut self.ram, &list, indirect) {
            self.posted.push_back((head, list));
        }
    }

    fn pop(&mut self) -> Result<(), TestCaseError> {
        let mut list = List::<ChainSegment, 8>::new();
        let queue = &self.queue;
        let popped = retry(&mut self.ram, |ram| queue.peek(ram, &mut list));
        let Some((head, segments)) = self.posted.pop_front() else {
            prop_assert_eq!(popped, None);
            if self.features & RING_EVENT_IDX != 0 {
                prop_assert_eq!(
                    self.driver.available_event(&self.ram),
                    self.driver.index(),
                    "the device sleeps unnotified"
                );
            }
            return Ok(());
        };
        let chain = popped.expect("a chain was available");
        self.queue.commit(&chain);
        prop_assert_eq!(chain.head, head);
        prop_assert_eq!(&list[..], &segments[..]);
        let sum = |writable| segments.iter().filter(|s| s.writable == writable).map(|s| s.len).sum::<u32>();
        prop_assert_eq!((chain.readable, chain.writable), (sum(false), sum(true)));
        prop_assert_eq!((chain.last, chain.complete), (*segments.last().unwrap(), true));
        self.live.push(head);
        Ok(())
    }

    fn complete(&mut self, which: usize, len: u32) -> Result<(), TestCaseError> {
        if self.live.is_empty() {
            return Ok(());
        }
        let head = self.live.swap_remove(which % self.live.len());
        let asleep = self.done.is_empty();
        if asleep {
            self.driver.want_interrupt(&mut self.ram);
        }
        let queue = &mut self.queue;
        let interrupt = retry(&mut self.ram, |ram| queue.push_used(ram, head, len));
        prop_assert!(interrupt || !asleep, "a driver that waits must be interrupted");
        prop_assert_eq!(self.queue.push_used(&mut self.ram, head, len), Err(QueueError::NotLive(head)));
        self.done.push_back((head, len));
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn what_is_posted_is_popped_and_comes_back(
        steps in prop::collection::vec(step(), 1..200),
        order in 0u32..6,
        indirect in any::<bool>(),
        event in any::<bool>(),
    ) {
        let features = if indirect { RING_INDIRECT_DESC } else { 0 } | if event { RING_EVENT_IDX } else { 0 };
        let driver = Driver::new(1 << order);
        let queue = driver.queue(features);
        let mut world = World {
            ram: Ram::new(0x60), driver, queue, features,
            posted: VecDeque::new(), live: Vec::new(), done: VecDeque::new(),
        };
        for step in &steps {
            match step {
                Step::Add { segments, readable, indirect } => world.add(segments, *readable, *indirect),
                Step::Pop => world.pop()?,
                Step::Complete { which, len } => world.complete(*which, *len)?,
                Step::Take => prop_assert_eq!(world.driver.take(&world.ram), world.done.pop_front()),
                Step::Swap(pages) => world.ram.absent.extend(pages),
            }
            prop_assert_eq!(world.queue.live() as usize, world.live.len());
        }
    }
}

#[test]
fn indices_wrap() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(4));
    let mut queue = driver.queue(RING_EVENT_IDX);
    let mut list = List::<ChainSegment, 4>::new();
    let segment = ChainSegment { gpa: 0x5000, len: 1, writable: true };
    for n in 0..70_000u32 {
        let head = driver.add(&mut ram, &[segment], false).unwrap();
        driver.want_interrupt(&mut ram);
        assert_eq!(queue.pop(&mut ram, &mut list).unwrap().unwrap().head, head);
        assert!(queue.push_used(&mut ram, head, n).unwrap());
        assert_eq!(driver.take(&ram), Some((head, n)));
    }
}

#[test]
fn flags_suppress_interrupts() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(4));
    let mut queue = driver.queue(0);
    let mut list = List::<ChainSegment, 4>::new();
    let segment = ChainSegment { gpa: 0x5000, len: 1, writable: true };
    for (flags, wanted) in [(0u16, true), (1, false)] {
        ram.put(AVAILABLE, &flags.to_le_bytes());
        let head = driver.add(&mut ram, &[segment], false).unwrap();
        queue.pop(&mut ram, &mut list).unwrap();
        assert_eq!(queue.push_used(&mut ram, head, 0), Ok(wanted));
    }
}

/// Several used chains between two looks of the driver: one interrupt, at the one it asked for.
#[test]
fn the_event_index_spares_interrupts() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(8));
    let mut queue = driver.queue(RING_EVENT_IDX);
    let mut list = List::<ChainSegment, 4>::new();
    let segment = ChainSegment { gpa: 0x5000, len: 1, writable: true };
    driver.want_interrupt(&mut ram);
    let interrupts: Vec<_> = (0..5)
        .map(|_| {
            let head = driver.add(&mut ram, &[segment], false).unwrap();
            queue.pop(&mut ram, &mut list).unwrap();
            queue.push_used(&mut ram, head, 0).unwrap()
        })
        .collect();
    assert_eq!(interrupts, [true, false, false, false, false]);
}

#[test]
fn more_buffers_than_the_list_holds() {
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(8));
    let mut queue = driver.queue(0);
    let segments: Vec<_> = (0..5).map(|n| ChainSegment { gpa: 0x5000 + n * 16, len: 16, writable: n > 2 }).collect();
    driver.add(&mut ram, &segments, false).unwrap();
    let mut list = List::<ChainSegment, 3>::new();
    let chain = queue.pop(&mut ram, &mut list).unwrap().unwrap();
    assert!(!chain.complete);
    assert_eq!((chain.segments, chain.readable, chain.writable), (5, 48, 32));
    assert_eq!((&list[..], chain.last), (&segments[..3], segments[4]));
}

/// A chain that is added while the device goes to sleep: the driver did not notify, so the device must look again.
#[test]
fn no_chain_is_lost_to_sleep() {
    struct Racing(Ram, Driver);
    const SEGMENT: ChainSegment = ChainSegment { gpa: 0x5000, len: 1, writable: true };
    impl GuestMemory for Racing {
        fn read(&mut self, gpa: u64, to: &mut [u8]) -> Result<(), virtio::Fault> {
            self.0.read(gpa, to)
        }
        fn write(&mut self, gpa: u64, from: &[u8]) -> Result<(), virtio::Fault> {
            self.1.add(&mut self.0, &[SEGMENT], false);
            self.0.write(gpa, from)
        }
        fn check(&self, gpa: u64, len: u64) -> bool {
            self.0.check(gpa, len)
        }
    }
    let mut racing = Racing(Ram::new(0x60), Driver::new(8));
    let mut queue = racing.1.queue(RING_EVENT_IDX);
    let mut list = List::<ChainSegment, 4>::new();
    assert!(queue.pop(&mut racing, &mut list).unwrap().is_some());
}

/// The used index is out: a missing page behind the driver's wish must not make the caller push again.
#[test]
fn a_late_missing_page_costs_one_interrupt_only() {
    struct Vanishing(Ram);
    impl GuestMemory for Vanishing {
        fn read(&mut self, gpa: u64, to: &mut [u8]) -> Result<(), virtio::Fault> {
            self.0.read(gpa, to)
        }
        fn write(&mut self, gpa: u64, from: &[u8]) -> Result<(), virtio::Fault> {
            self.0.write(gpa, from)?;
            self.0.absent.insert(AVAILABLE >> 12);
            Ok(())
        }
        fn check(&self, gpa: u64, len: u64) -> bool {
            self.0.check(gpa, len)
        }
    }
    let (mut ram, mut driver) = (Ram::new(0x60), Driver::new(8));
    let mut queue = driver.queue(0);
    let mut list = List::<ChainSegment, 3>::new();
    let head = driver.add(&mut ram, &[ChainSegment { gpa: 0x5000, len: 1, writable: true }], false).unwrap();
    queue.pop(&mut ram, &mut list).unwrap();
    assert_eq!(queue.push_used(&mut Vanishing(ram), head, 0), Ok(true));
    assert_eq!(queue.live(), 0);
}

#[test]
fn misplaced_rings_are_refused() {
    for (size, table, available, used) in [
        (3, 0, 0, 0),
        (0, 0, 0, 0),
        (2048, 0, 0, 0),
        (4, 8, 0, 0),
        (4, 0, 1, 0),
        (4, 0, 0, 2),
        (4, u64::MAX - 15, 0, 0),
        (4, 0, u64::MAX - 3, 0),
        (4, 0, 0, u64::MAX - 3),
    ] {
        assert_eq!(Queue::new(size, table, available, used, 0), None, "{size} {table:#x} {available:#x} {used:#x}");
    }
}
