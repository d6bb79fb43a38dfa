//! The statistics queue (section 5.5.6.3): one buffer, which the device keeps until it wants news.
//!
//! Invariant: while the device has the buffer (`token`), nothing here touches its bytes.

use core::ptr::NonNull;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::Transport;
use virtio_drivers::{BufferDirection, Error, Hal, PhysAddr, Result};

/// Most statistics in the buffer.
pub const MAX_STATISTICS: usize = 16;
/// Bytes of one: tag (16 bits), value (64 bits).
const ENTRY: usize = 10;

/// A statistic: a tag of [`tag`] and its value.
pub type Statistic = (u16, u64);

/// Tags (section 5.5.6.4). Memory is in bytes.
pub mod tag {
    /// Memory read from swap.
    pub const SWAP_IN: u16 = 0;
    /// Memory written to swap.
    pub const SWAP_OUT: u16 = 1;
    /// Major page faults.
    pub const MAJOR_FAULTS: u16 = 2;
    /// Minor page faults.
    pub const MINOR_FAULTS: u16 = 3;
    /// Free memory.
    pub const FREE: u16 = 4;
    /// All memory.
    pub const TOTAL: u16 = 5;
    /// Memory that could be used without swapping.
    pub const AVAILABLE: u16 = 6;
    /// Memory of caches that could be dropped.
    pub const CACHES: u16 = 7;
}

/// The queue and its buffer.
pub(crate) struct StatisticsQueue<H: Hal> {
    queue: VirtQueue<H, 2>,
    physical: PhysAddr,
    buffer: NonNull<u8>,
    len: usize,
    token: Option<u16>,
}

impl<H: Hal> StatisticsQueue<H> {
    pub(crate) fn new(transport: &mut impl Transport, index: u16) -> Result<Self> {
        let queue = VirtQueue::new(transport, index, false, false)?;
        let (physical, buffer) = H::dma_alloc(1, BufferDirection::DriverToDevice);
        if physical == 0 {
            return Err(Error::DmaError);
        }
        Ok(Self { queue, physical, buffer, len: 0, token: None })
    }

    /// True if the driver has the buffer.
    pub(crate) fn wanted(&self) -> bool {
        self.token.is_none() || self.queue.can_pop()
    }

    /// Hands in statistics; false if the device still has the last ones.
    pub(crate) fn publish(&mut self, transport: &mut impl Transport, statistics: &[Statistic]) -> Result<bool> {
        if !self.wanted() {
            return Ok(false);
        }
        if statistics.is_empty() || statistics.len() > MAX_STATISTICS {
            return Err(Error::InvalidParam);
        }
        if let Some(token) = self.token {
            // SAFETY: this is the slice that was added under `token`: `buffer` and `len` are
            // unchanged since. Nobody writes to it meanwhile.
            unsafe { self.queue.pop_used(token, &[self.bytes()], &mut [])? };
            self.token = None;
        }
        self.len = 0;
        for byte in statistics.iter().flat_map(|(tag, value)| tag.to_le_bytes().into_iter().chain(value.to_le_bytes()))
        {
            // SAFETY: at most MAX_STATISTICS * ENTRY bytes of the page that `new` allocated; the
            // device does not have it, as `token` is `None`, and no slice of it is alive.
            unsafe { self.buffer.add(self.len).write(byte) };
            self.len += 1;
        }
        // SAFETY: the buffer is not touched while `token` is set, and lives until `drop`, before
        // which the driver has reset the device.
        self.token = Some(unsafe { self.queue.add(&[self.bytes()], &mut [])? });
        transport.notify(crate::driver::STATISTICS);
        Ok(true)
    }

    /// The buffer's filled part.
    ///
    /// # Safety
    /// The slice must not be used after the next write to the buffer, nor after `self`.
    unsafe fn bytes<'a>(&self) -> &'a [u8] {
        // SAFETY: `len` bytes of the page that `new` allocated and zeroed; the caller sees to its lifetime.
        unsafe { NonNull::slice_from_raw_parts(self.buffer, self.len).as_ref() }
    }
}

const _: () = assert!(MAX_STATISTICS * ENTRY <= virtio_drivers::PAGE_SIZE);

impl<H: Hal> Drop for StatisticsQueue<H> {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` with these values and not freed since; the driver resets the
        // device before its queues are dropped, so the device does not use it.
        unsafe { H::dma_dealloc(self.physical, self.buffer, 1) };
    }
}
