//! Walking a descriptor chain (sections 2.7.4, 2.7.5). Depends on `descriptor`, `memory`, `breach`.
//!
//! Invariants: a walk takes at most as many steps as its tables have entries; each descriptor is
//! read once; a segment that comes out is not empty, does not wrap and is the guest's memory.

use crate::breach::{Breach, QueueError};
use crate::descriptor::{Descriptor, INDIRECT, NEXT, Table, WRITE};
use crate::memory::GuestMemory;
use heapless::Vec;

/// A buffer of a chain: checked, but present or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ChainSegment {
    /// Guest-physical address.
    pub gpa: u64,
    /// Bytes, not 0.
    pub len: u32,
    /// The device writes it.
    pub writable: bool,
}

/// What a chain amounts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chain {
    /// The descriptor that names it in both rings.
    pub head: u16,
    /// Bytes that the device may read.
    pub readable: u32,
    /// Bytes that the device may write.
    pub writable: u32,
    /// Buffers in the chain.
    pub segments: u16,
    /// The last buffer.
    pub last: ChainSegment,
    /// False if not all buffers fitted the caller's list: it holds the first of them.
    pub complete: bool,
}

/// A walk under way.
struct Walk<'a, const N: usize> {
    chain: Chain,
    list: &'a mut Vec<ChainSegment, N>,
}

impl<const N: usize> Walk<'_, N> {
    fn take(&mut self, memory: &impl GuestMemory, descriptor: Descriptor) -> Result<(), Breach> {
        let Descriptor { gpa, len, .. } = descriptor;
        let writable = descriptor.has(WRITE);
        if len == 0 {
            return Err(Breach::ZeroLength(gpa));
        }
        gpa.checked_add(len.into()).ok_or(Breach::Wraps(gpa))?;
        if !writable && self.chain.writable != 0 {
            return Err(Breach::Order(gpa));
        }
        if !memory.check(gpa, len.into()) {
            return Err(Breach::OutsideMemory(gpa));
        }
        let chain = &mut self.chain;
        let sum = if writable { &mut chain.writable } else { &mut chain.readable };
        *sum = sum.checked_add(len).ok_or(Breach::TooLong(chain.head))?;
        chain.segments = chain.segments.saturating_add(1);
        chain.last = ChainSegment { gpa, len, writable };
        chain.complete &= self.list.push(chain.last).is_ok();
        Ok(())
    }

    /// Follows `table` from entry `index`; returns the indirect descriptor that it ends in, if any.
    fn follow(
        &mut self,
        memory: &mut impl GuestMemory,
        table: Table,
        mut index: u16,
    ) -> Result<Option<Descriptor>, QueueError> {
        for _ in 0..table.entries {
            let descriptor = table.read(memory, index)?.ok_or(Breach::NextBeyondTable(index))?;
            if descriptor.has(INDIRECT) {
                return Ok(Some(descriptor));
            }
            self.take(memory, descriptor)?;
            if !descriptor.has(NEXT) {
                return Ok(None);
            }
            index = descriptor.next;
        }
        Err(Breach::Loop(self.chain.head).into())
    }
}

/// Walks the chain from entry `head` of `table`; its buffers replace what `list` holds.
///
/// # Errors
/// [`QueueError`]; `list` is then unspecified.
pub fn walk<const N: usize>(
    memory: &mut impl GuestMemory,
    table: Table,
    head: u16,
    indirect: bool,
    list: &mut Vec<ChainSegment, N>,
) -> Result<Chain, QueueError> {
    list.clear();
    let last = ChainSegment::default();
    let chain = Chain { head, readable: 0, writable: 0, segments: 0, last, complete: true };
    let mut walk = Walk { chain, list };
    if let Some(descriptor) = walk.follow(memory, table, head)? {
        if !indirect {
            return Err(Breach::Indirect(descriptor.gpa).into());
        }
        let inner = Table::indirect(descriptor)?;
        if let Some(nested) = walk.follow(memory, inner, 0)? {
            return Err(Breach::Indirect(nested.gpa).into());
        }
    }
    Ok(walk.chain)
}
