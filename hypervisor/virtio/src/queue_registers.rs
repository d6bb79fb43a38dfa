//! The registers that set up one queue (section 4.2.3.2). Depends on `queue`.
//!
//! Invariant: while a queue is in use its registers do not change.

use crate::queue::Queue;

/// Which address a register belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Area {
    /// Descriptor table.
    Descriptors,
    /// Available ring.
    Driver,
    /// Used ring.
    Device,
}

/// A queue's registers, and the queue once it is ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueRegisters {
    num: u32,
    areas: [u64; 3],
    queue: Option<Queue>,
}

impl QueueRegisters {
    /// After reset.
    pub const RESET: Self = Self { num: 0, areas: [0; 3], queue: None };

    /// The number of entries, as alleged.
    pub const fn set_num(&mut self, num: u32) {
        if self.queue.is_none() {
            self.num = num;
        }
    }

    /// Half an address, as alleged.
    pub const fn set_area(&mut self, area: Area, high: bool, value: u32) {
        if self.queue.is_none() {
            let word = &mut self.areas[area as usize];
            let shift = if high { 32 } else { 0 };
            *word = *word & !(0xffff_ffff << shift) | (value as u64) << shift;
        }
    }

    /// Takes the queue into use; false if the registers do not describe one of at most `max` entries.
    pub fn enable(&mut self, max: u16, features: u64) -> bool {
        if self.queue.is_none() {
            let [table, available, used] = self.areas;
            let size = u16::try_from(self.num).ok().filter(|size| *size <= max);
            self.queue = size.and_then(|size| Queue::new(size, table, available, used, features));
        }
        self.queue.is_some()
    }

    /// Takes the queue out of use; true if it was in use.
    pub const fn disable(&mut self) -> bool {
        self.queue.take().is_some()
    }

    /// The queue, if in use.
    #[must_use]
    pub const fn queue(&self) -> Option<&Queue> {
        self.queue.as_ref()
    }

    /// The queue, if in use.
    pub const fn queue_mut(&mut self) -> Option<&mut Queue> {
        self.queue.as_mut()
    }
}
