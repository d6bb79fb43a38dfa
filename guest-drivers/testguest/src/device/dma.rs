//! `virtio-drivers`' view of this machine: one-to-one memory, and a pool for rings that is never freed.

use super::virtio::Device;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::{BufferDirection, Hal, PhysAddr};

const PAGES: usize = 64;
const PAGE: usize = 4096;

#[repr(C, align(4096))]
struct Pool(UnsafeCell<[u8; PAGES * PAGE]>);
// SAFETY: each page is handed out once, and only its owner touches it.
unsafe impl Sync for Pool {}

static POOL: Pool = Pool(UnsafeCell::new([0; PAGES * PAGE]));
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// The machine.
pub struct Machine;

// SAFETY: pages of the pool are zero, aligned, handed out once and never taken back; addresses are
// physical addresses, because memory is mapped one to one.
unsafe impl Hal for Machine {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = TAKEN.fetch_add(pages, Ordering::Relaxed);
        if first + pages > PAGES {
            return (0, NonNull::dangling());
        }
        // SAFETY: within the pool.
        let start = unsafe { NonNull::new_unchecked(POOL.0.get().cast::<u8>().add(first * PAGE)) };
        (start.as_ptr() as PhysAddr, start)
    }

    // SAFETY: the trait's contract; nothing is taken back.
    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    // SAFETY: the trait's contract; memory is mapped one to one, so only an address is computed.
    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        NonNull::new(address as *mut u8).unwrap_or(NonNull::dangling())
    }

    // SAFETY: the trait's contract; memory is mapped one to one, so only an address is computed.
    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.as_ptr().cast::<u8>() as PhysAddr
    }

    // SAFETY: the trait's contract; memory is mapped one to one, so only an address is computed.
    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}

/// The transport of the first device with identifier `id`.
pub fn transport(id: u32) -> Option<MmioTransport<'static>> {
    let device = Device::find(id)?;
    let header = NonNull::new(device.address(0) as *mut VirtIOHeader)?;
    // SAFETY: a virtio-mmio device, just found there, that no other driver uses; 512 bytes are the
    // smallest that any machine gives it.
    unsafe { MmioTransport::new(header, 0x200) }.ok()
}
