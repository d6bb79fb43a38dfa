//! A host for the driver: memory that is lent to the device piece by piece, and a transport whose
//! other end is the hypervisor's own device side.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use heapless::Vec as List;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ptr::{self, NonNull};
use std::rc::Rc;
use virtio::balloon::{self, Frames, Role};
use virtio::balloon_stats::{Poll, Statistics};
use virtio::{ChainSegment, Device, Effect, Fault, GuestMemory, registers as reg};
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus, Transport};
use virtio_drivers::{BufferDirection, Error, Hal, PhysAddr, Result};
use zerocopy::{FromBytes, Immutable, IntoBytes};

thread_local! {
    /// What the device may touch: start, length, how often lent.
    static LENT: RefCell<BTreeMap<(u64, usize), u32>> = const { RefCell::new(BTreeMap::new()) };
}

fn lend(start: u64, len: usize) {
    LENT.with_borrow_mut(|lent| *lent.entry((start, len)).or_insert(0) += 1);
}

fn take_back(start: u64, len: usize) {
    LENT.with_borrow_mut(|lent| {
        let times = lent.get_mut(&(start, len)).expect("memory that was not lent");
        *times -= 1;
        if *times == 0 {
            lent.remove(&(start, len));
        }
    });
}

/// True if nothing is lent to the device.
pub fn nothing_lent() -> bool {
    LENT.with_borrow(BTreeMap::is_empty)
}

/// Physical addresses are this process's.
pub struct HostHal;

fn layout(pages: usize) -> Layout {
    Layout::from_size_align(pages * 4096, 4096).unwrap()
}

// SAFETY: `dma_alloc` gives fresh, zeroed, page-aligned memory of its own.
unsafe impl Hal for HostHal {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        // SAFETY: the layout is not empty, as drivers ask for at least a page.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout(pages)) }).unwrap();
        lend(memory.as_ptr() as u64, pages * 4096);
        (memory.as_ptr() as u64, memory)
    }

    // SAFETY: the trait's contract: what `dma_alloc` gave comes back.
    unsafe fn dma_dealloc(physical: PhysAddr, memory: NonNull<u8>, pages: usize) -> i32 {
        take_back(physical, pages * 4096);
        // SAFETY: the caller passes what `dma_alloc` gave.
        unsafe { dealloc(memory.as_ptr(), layout(pages)) };
        0
    }

    // SAFETY: the trait's contract; nothing is done.
    unsafe fn mmio_phys_to_virt(_: PhysAddr, _: usize) -> NonNull<u8> {
        panic!("there is no device memory")
    }

    // SAFETY: the trait's contract; only an address is computed.
    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        let start = buffer.cast::<u8>().as_ptr() as u64;
        lend(start, buffer.len());
        start
    }

    // SAFETY: the trait's contract; only an address is computed.
    unsafe fn unshare(physical: PhysAddr, buffer: NonNull<[u8]>, _: BufferDirection) {
        take_back(physical, buffer.len());
    }
}

/// The device's view: what is lent and nothing else.
struct Lent;

impl GuestMemory for Lent {
    fn read(&mut self, gpa: u64, to: &mut [u8]) -> std::result::Result<(), Fault> {
        if !self.check(gpa, to.len() as u64) {
            return Err(Fault::Bad(gpa));
        }
        // SAFETY: lent memory is valid, and the driver waits in `notify` while the device works.
        unsafe { ptr::copy_nonoverlapping(gpa as *const u8, to.as_mut_ptr(), to.len()) };
        Ok(())
    }

    fn write(&mut self, gpa: u64, from: &[u8]) -> std::result::Result<(), Fault> {
        if !self.check(gpa, from.len() as u64) {
            return Err(Fault::Bad(gpa));
        }
        // SAFETY: as in `read`.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), gpa as *mut u8, from.len()) };
        Ok(())
    }

    fn check(&self, gpa: u64, len: u64) -> bool {
        LENT.with_borrow(|lent| lent.keys().any(|(start, size)| *start <= gpa && gpa + len <= start + *size as u64))
    }
}

/// The hypervisor's side of a balloon.
pub struct Host {
    pub device: Device,
    pub ballooned: BTreeSet<u32>,
    pub reported: Vec<Frames>,
    pub poll: Poll,
}

impl Host {
    pub fn new(features: u64) -> Rc<RefCell<Self>> {
        let device = Device::new(5, balloon::QUEUES, 64, features, &balloon::config(0, 0)).unwrap();
        Rc::new(RefCell::new(Self { device, ballooned: BTreeSet::new(), reported: Vec::new(), poll: Poll::RESET }))
    }

    /// Asks for new statistics.
    pub fn ask(&mut self) {
        if let Some(head) = self.poll.ask() {
            self.give_back(2, head);
        }
    }

    fn give_back(&mut self, queue: u16, head: u16) {
        self.device.queue(queue).unwrap().push_used(&mut Lent, head, 0).unwrap();
        self.device.raise_used();
    }

    fn work(&mut self, index: u16) {
        let role = Role::of(index, self.device.features()).expect("a queue without a role");
        let mut segments = List::<ChainSegment, 64>::new();
        while let Some(chain) = self.device.queue(index).unwrap().pop(&mut Lent, &mut segments).unwrap() {
            assert!(chain.complete);
            let mut back = Some(chain.head);
            match role {
                Role::Inflate | Role::Deflate => {
                    let frames = balloon::frames(&mut Lent, &segments, 0).unwrap();
                    assert_eq!(frames.len() * 4, chain.readable as usize);
                    for frame in frames {
                        let changed = match role {
                            Role::Inflate => self.ballooned.insert(frame),
                            _ => self.ballooned.remove(&frame),
                        };
                        assert!(changed, "frame {frame}");
                    }
                }
                Role::Statistics => {
                    back = self.poll.received(chain.head, Statistics::read(&mut Lent, &segments).unwrap());
                }
                Role::Reporting => self.reported.extend(balloon::reported(&segments)),
            }
            if let Some(head) = back {
                self.give_back(index, head);
            }
        }
    }
}

/// A transport that goes through the registers of [`Host::device`].
pub struct Wire(pub Rc<RefCell<Host>>);

impl Wire {
    fn read(&self, register: u64) -> u32 {
        self.0.borrow().device.read(register, 4) as u32
    }

    fn write(&self, register: u64, value: u32) -> Effect {
        self.0.borrow_mut().device.write(register, 4, value.into())
    }

    fn write_wide(&self, register: u64, value: u64) {
        self.write(register, value as u32);
        self.write(register + 4, (value >> 32) as u32);
    }
}

impl Transport for Wire {
    fn device_type(&self) -> DeviceType {
        self.read(reg::DEVICE_ID).try_into().unwrap()
    }

    fn read_device_features(&mut self) -> u64 {
        let half = |n| {
            self.write(reg::DEVICE_FEATURES_SEL, n);
            u64::from(self.read(reg::DEVICE_FEATURES))
        };
        half(0) | half(1) << 32
    }

    fn write_driver_features(&mut self, features: u64) {
        for half in 0..2 {
            self.write(reg::DRIVER_FEATURES_SEL, half);
            self.write(reg::DRIVER_FEATURES, (features >> (32 * half)) as u32);
        }
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        self.write(reg::QUEUE_SEL, queue.into());
        self.read(reg::QUEUE_NUM_MAX)
    }

    fn notify(&mut self, queue: u16) {
        if let Effect::Notify(queue) = self.write(reg::QUEUE_NOTIFY, queue.into()) {
            self.0.borrow_mut().work(queue);
        }
    }

    fn get_status(&self) -> DeviceStatus {
        DeviceStatus::from_bits_retain(self.read(reg::STATUS))
    }

    fn set_status(&mut self, status: DeviceStatus) {
        if self.write(reg::STATUS, status.bits()) == Effect::Reset {
            self.0.borrow_mut().poll = Poll::RESET;
        }
    }

    fn set_guest_page_size(&mut self, _: u32) {}

    fn requires_legacy_layout(&self) -> bool {
        false
    }

    fn queue_set(&mut self, queue: u16, size: u32, descriptors: PhysAddr, driver: PhysAddr, device: PhysAddr) {
        self.write(reg::QUEUE_SEL, queue.into());
        self.write(reg::QUEUE_NUM, size);
        self.write_wide(reg::QUEUE_DESC_LOW, descriptors);
        self.write_wide(reg::QUEUE_DRIVER_LOW, driver);
        self.write_wide(reg::QUEUE_DEVICE_LOW, device);
        self.write(reg::QUEUE_READY, 1);
        assert_eq!(self.read(reg::QUEUE_READY), 1);
    }

    fn queue_unset(&mut self, queue: u16) {
        self.write(reg::QUEUE_SEL, queue.into());
        self.write(reg::QUEUE_READY, 0);
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        self.write(reg::QUEUE_SEL, queue.into());
        self.read(reg::QUEUE_READY) != 0
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        let reasons = self.read(reg::INTERRUPT_STATUS);
        self.write(reg::INTERRUPT_ACK, reasons);
        InterruptStatus::from_bits_retain(reasons)
    }

    fn read_config_generation(&self) -> u32 {
        self.read(reg::CONFIG_GENERATION)
    }

    fn read_config_space<T: FromBytes + IntoBytes>(&self, offset: usize) -> Result<T> {
        let value = self.0.borrow().device.read(reg::CONFIG + offset as u64, size_of::<T>());
        T::read_from_prefix(&value.to_le_bytes()).map(|(value, _)| value).map_err(|_| Error::ConfigSpaceTooSmall)
    }

    fn write_config_space<T: IntoBytes + Immutable>(&mut self, offset: usize, value: T) -> Result<()> {
        let mut bytes = [0; 8];
        bytes[..size_of::<T>()].copy_from_slice(value.as_bytes());
        let place = reg::CONFIG + offset as u64;
        self.0.borrow_mut().device.write(place, size_of::<T>(), u64::from_le_bytes(bytes));
        Ok(())
    }
}
