//! The virtio slots of a guest and what is live in them.

use super::balloon::Chain;
use super::uart::Uart;
use abi::platform::{VIRTIO_BALLOON, VIRTIO_SLOTS};
use abi::{BlockRef, Error};
use alloc::boxed::Box;
use alloc::vec::Vec;
use paging::Gfn;
use virtio::balloon_stats::Poll;
use virtio::chain::ChainSegment;
use virtio::mmio::Device;

/// Live requests of one guest at most.
pub const MAX_LIVE: usize = 256;

/// Pieces of pages in all live requests of one guest at most. A request more waits until others are complete.
pub const MAX_PIECES: usize = 1024;
/// Bytes that a piece costs at most: a segment, and a page that is told of with it.
pub const PIECE: usize = size_of::<ChainSegment>() + size_of::<(u64, BlockRef)>();

/// A request that dom0 works on.
pub struct Request {
    /// Identifier, never used twice in a guest's life.
    pub id: u64,
    /// Which device.
    pub slot: usize,
    /// Which of its queues.
    pub queue: u16,
    /// Head of the chain.
    pub head: u16,
    /// Device-readable and device-writable bytes.
    pub readable: u32,
    /// See `readable`.
    pub writable: u32,
    /// The buffers.
    pub segments: Vec<ChainSegment>,
    /// Pieces of pages in it.
    pub pieces: usize,
    /// dom0 was told of it.
    pub posted: bool,
    /// dom0 has completed it; the guest is told when the page of its used ring is there.
    pub done: Option<Done>,
    /// Pages that got a fresh frame for it (R3), and the content that this made superfluous: told
    /// to dom0 with the request.
    pub dropped: Vec<(u64, BlockRef)>,
}

/// What dom0 said of a request that is over.
#[derive(Clone, Copy)]
pub struct Done {
    /// Bytes written, for the used ring.
    pub written: u32,
    /// Its whole pages have names in dom0.
    pub associate: bool,
}

/// What dom0 has not been told of the devices, a bit a slot.
#[derive(Clone, Copy, Default)]
pub struct Untold {
    /// They were reset.
    pub reset: u32,
    /// The driver is ready (after the reset, if both).
    pub ready: u32,
}

/// All slots, with the 16550 and the power button.
pub struct Slots {
    /// The devices.
    pub devices: [Option<Box<Device>>; VIRTIO_SLOTS as usize],
    /// Queues that were notified and not emptied: a bit a queue.
    pub notified: [u8; VIRTIO_SLOTS as usize],
    /// Devices that the driver reset, and those that it made ready, of which dom0 has not been told: a bit a slot.
    pub untold: Untold,
    /// Live requests, oldest first.
    pub live: Vec<Request>,
    /// The next request's identifier.
    pub next_id: u64,
    /// The 16550.
    pub uart: Uart,
    /// Pending power events.
    pub events: u8,
    /// The balloon's statistics.
    pub balloon: Poll,
    /// When the guest was last asked for them, in ns.
    pub statistics_asked: u64,
    /// The balloon's target, in pages.
    pub balloon_target: u64,
    /// The balloon's chain that is half done.
    pub chain: Option<Chain>,
}

impl Slots {
    /// Empty slots.
    pub fn new() -> Self {
        Self {
            devices: [const { None }; VIRTIO_SLOTS as usize],
            notified: [0; VIRTIO_SLOTS as usize],
            untold: Untold::default(),
            live: Vec::new(),
            next_id: 1,
            uart: Uart::new(),
            events: 0,
            balloon: Poll::RESET,
            statistics_asked: 0,
            balloon_target: 0,
            chain: None,
        }
    }

    /// Puts a device into a slot.
    pub fn add(
        &mut self,
        slot: usize,
        id: u32,
        queues: usize,
        max: u16,
        features: u64,
        config: &[u8],
    ) -> Result<(), Error> {
        let place = self.devices.get_mut(slot).ok_or(Error::Invalid)?;
        if place.is_some() {
            return Err(Error::State);
        }
        *place = Some(Box::new(Device::new(id, queues, max, features, config).map_err(|_| Error::Invalid)?));
        Ok(())
    }

    /// True if the slot holds a device of this kind.
    pub fn is(&self, slot: usize, id: u32) -> bool {
        self.devices.get(slot).and_then(Option::as_ref).is_some_and(|device| device.id() == id)
    }

    /// How many pieces one request more may have; `None` if there may be none now.
    pub fn room(&mut self) -> Option<usize> {
        let missing = MAX_LIVE.checked_sub(self.live.len()).filter(|&missing| missing > 0)?;
        self.live.try_reserve_exact(missing).ok()?;
        MAX_PIECES.checked_sub(self.live.iter().map(|request| request.pieces).sum())
    }

    /// Takes out of `pages` those in which a live request has bytes: they must stay.
    pub fn spare_pinned<const N: usize>(&self, pages: &mut heapless::Vec<Gfn, N>) {
        pages.sort_unstable();
        for segment in self.live.iter().flat_map(|request| &request.segments) {
            let last = segment.gpa.saturating_add(segment.len.saturating_sub(1).into()) >> 12;
            let first = pages.partition_point(|gfn| gfn.0 < segment.gpa >> 12);
            while pages.get(first).is_some_and(|gfn| gfn.0 <= last) {
                pages.remove(first);
            }
        }
    }

    /// A new daemon is to be told of the devices that are ready.
    pub fn tell_again(&mut self) {
        let ready = |(slot, device): (usize, &Option<Box<Device>>)| {
            u32::from(device.as_ref().is_some_and(|device| device.ready())) << slot
        };
        self.untold = Untold { reset: 0, ready: self.devices.iter().enumerate().map(ready).sum() };
    }

    /// Forgets what was live in a slot (and, if given, in one queue of it).
    pub fn forget(&mut self, slot: usize, queue: Option<u16>) {
        self.live.retain(|request| request.slot != slot || queue.is_some_and(|queue| request.queue != queue));
        if self.is(slot, VIRTIO_BALLOON) {
            self.chain = None;
            self.balloon = Poll::RESET;
        }
        match queue {
            Some(queue) => self.notified[slot] &= !(1 << queue),
            None => self.notified[slot] = 0,
        }
    }
}
