//! A split virtqueue, device side (section 2.7). Depends on `chain`, `ring`, `descriptor`, `memory`.
//!
//! Popping is in two steps, so that a page that is swapped out can be fetched in between:
//! [`Queue::peek`] changes nothing and can be done again; [`Queue::commit`] takes the chain.
//! Invariants: a head is with the device at most once, hence at most `size` chains are live;
//! the rings' places were checked when the queue was made.

use crate::breach::{Breach, QueueError};
use crate::chain::{self, Chain, ChainSegment};
use crate::descriptor::Table;
use crate::features;
use crate::memory::GuestMemory;
use crate::ring::{Available, NO_INTERRUPT, Used, passed};
use core::sync::atomic::{Ordering, fence};
use heapless::Vec;

/// Most entries of a queue.
pub const MAX_SIZE: u16 = 1024;

/// A queue in use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    table: Table,
    available: Available,
    used: Used,
    indirect: bool,
    event_index: bool,
    next_available: u16,
    next_used: u16,
    live: [u64; MAX_SIZE as usize / 64],
}

impl Queue {
    /// The queue with `size` entries (a power of two, up to [`MAX_SIZE`]) at these guest-physical
    /// addresses, for a driver that accepted `features`; `None` if an address is misaligned or an
    /// area wraps around (section 2.7).
    #[must_use]
    pub fn new(size: u16, table: u64, available: u64, used: u64, features: u64) -> Option<Self> {
        let place = |gpa: u64, align: u64, bytes: u64| gpa.is_multiple_of(align) && gpa.checked_add(bytes).is_some();
        let sound = size.is_power_of_two()
            && size <= MAX_SIZE
            && place(table, 16, 16 * u64::from(size))
            && place(available, 2, Available::bytes(size))
            && place(used, 4, Used::bytes(size));
        sound.then_some(Self {
            table: Table { gpa: table, entries: size },
            available: Available { gpa: available, size },
            used: Used { gpa: used, size },
            indirect: features & features::RING_INDIRECT_DESC != 0,
            event_index: features & features::RING_EVENT_IDX != 0,
            next_available: 0,
            next_used: 0,
            live: [0; MAX_SIZE as usize / 64],
        })
    }

    /// Entries.
    #[must_use]
    pub const fn size(&self) -> u16 {
        self.table.entries
    }

    /// Chains that are with the device.
    #[must_use]
    pub fn live(&self) -> u32 {
        self.live.iter().map(|word| word.count_ones()).sum()
    }

    fn is_live(&self, head: u16) -> bool {
        self.live.get(usize::from(head / 64)).is_some_and(|word| word >> (head % 64) & 1 != 0)
    }

    fn set_live(&mut self, head: u16, live: bool) {
        if let Some(word) = self.live.get_mut(usize::from(head / 64)) {
            *word = *word & !(1 << (head % 64)) | u64::from(live) << (head % 64);
        }
    }

    /// True if the driver made a chain available that was not popped.
    fn waiting(&self, memory: &mut impl GuestMemory) -> Result<bool, QueueError> {
        let index = self.available.index(memory)?;
        let ahead = index.wrapping_sub(self.next_available);
        if ahead > self.size() {
            return Err(Breach::AvailableJump(index).into());
        }
        Ok(ahead != 0)
    }

    /// Looks at the next available chain; its buffers replace what `list` holds (up to its
    /// capacity: see [`Chain::complete`]). `None` if there is none; the driver then notifies when it adds one.
    ///
    /// # Errors
    /// [`QueueError::NotPresent`]: page in, then peek again. [`QueueError::Breach`].
    pub fn peek<const N: usize>(
        &self,
        memory: &mut impl GuestMemory,
        list: &mut Vec<ChainSegment, N>,
    ) -> Result<Option<Chain>, QueueError> {
        if !self.waiting(memory)? {
            if !self.event_index {
                return Ok(None);
            }
            self.used.set_available_event(memory, self.next_available)?;
            // The driver may have added one before it saw that: look again, after the store.
            fence(Ordering::SeqCst);
            if !self.waiting(memory)? {
                return Ok(None);
            }
        }
        fence(Ordering::Acquire);
        let head = self.available.head(memory, self.next_available)?;
        if head >= self.size() {
            return Err(Breach::HeadBeyondTable(head).into());
        }
        if self.is_live(head) {
            return Err(Breach::HeadInUse(head).into());
        }
        chain::walk(memory, self.table, head, self.indirect, list).map(Some)
    }

    /// Takes the chain that [`Self::peek`] returned last: it is with the device until [`Self::push_used`].
    pub fn commit(&mut self, chain: &Chain) {
        self.set_live(chain.head, true);
        self.next_available = self.next_available.wrapping_add(1);
    }

    /// [`Self::peek`] and [`Self::commit`].
    ///
    /// # Errors
    /// As [`Self::peek`]; nothing was taken then.
    pub fn pop<const N: usize>(
        &mut self,
        memory: &mut impl GuestMemory,
        list: &mut Vec<ChainSegment, N>,
    ) -> Result<Option<Chain>, QueueError> {
        let chain = self.peek(memory, list)?;
        if let Some(chain) = &chain {
            self.commit(chain);
        }
        Ok(chain)
    }

    /// Gives the chain from `head` back with `len` bytes written to it; true if the driver wants an interrupt.
    ///
    /// # Errors
    /// [`QueueError::NotPresent`]: page in, then push again. [`QueueError::Breach`] if the rings
    /// are outside memory. [`QueueError::NotLive`]: the caller's mistake.
    pub fn push_used(&mut self, memory: &mut impl GuestMemory, head: u16, len: u32) -> Result<bool, QueueError> {
        if !self.is_live(head) {
            return Err(QueueError::NotLive(head));
        }
        self.used.entry(memory, self.next_used, head, len)?;
        fence(Ordering::Release);
        let new = self.next_used.wrapping_add(1);
        self.used.set_index(memory, new)?;
        let old = core::mem::replace(&mut self.next_used, new);
        self.set_live(head, false);
        // The driver may just have asked for interrupts: look after the store (section 2.7.7.2).
        fence(Ordering::SeqCst);
        let wanted = if self.event_index {
            self.available.used_event(memory).map(|event| passed(event, new, old))
        } else {
            self.available.flags(memory).map(|flags| flags & NO_INTERRUPT == 0)
        };
        // The chain is given back already, so this must not be tried again: one interrupt too many is legal.
        Ok(wanted.unwrap_or(true))
    }
}
