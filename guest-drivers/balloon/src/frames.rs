//! The inflate and deflate queues: arrays of frame numbers (section 5.5.6).

use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::Transport;
use virtio_drivers::{Hal, Result};

/// Most frame numbers in one buffer.
pub const BATCH: usize = 256;

/// A queue that takes frame numbers, one buffer at a time.
pub(crate) struct FrameQueue<H: Hal>(VirtQueue<H, 2>);

impl<H: Hal> FrameQueue<H> {
    pub(crate) fn new(transport: &mut impl Transport, index: u16) -> Result<Self> {
        VirtQueue::new(transport, index, false, false).map(Self)
    }

    /// Sends up to [`BATCH`] numbers (more are not looked at) and waits until the device has taken them.
    pub(crate) fn send(&mut self, transport: &mut impl Transport, numbers: &[u32]) -> Result<()> {
        let mut bytes = [0; 4 * BATCH];
        let mut len = 0;
        for (place, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
            len += 4;
        }
        match bytes.get(..len) {
            None | Some([]) => Ok(()),
            Some(filled) => self.0.add_notify_wait_pop(&[filled], &mut [], transport).map(drop),
        }
    }
}
