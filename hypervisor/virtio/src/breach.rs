//! How a driver can break the specification, and what else can stop a queue. Depends on `memory` and `abi`.

use crate::memory::Fault;
use abi::event::MAX_SEGMENTS;
use core::fmt;

/// A driver's breach of section 2.7. Ends the domain; the text goes into its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Breach {
    /// A ring, table or buffer is not in the guest's memory. The address.
    OutsideMemory(u64),
    /// The available index is ahead by more than the queue's size. The index.
    AvailableJump(u16),
    /// The available ring names a descriptor beyond the table. Its number.
    HeadBeyondTable(u16),
    /// The available ring names a chain that is already with the device. Its head.
    HeadInUse(u16),
    /// A descriptor's successor is beyond the table. Its number.
    NextBeyondTable(u16),
    /// A chain has more descriptors than its table: it loops. Its head.
    Loop(u16),
    /// A descriptor of length 0. Its address.
    ZeroLength(u64),
    /// A buffer that wraps around the address space. Its address.
    Wraps(u64),
    /// A device-readable descriptor after a device-writable one. Its address.
    Order(u64),
    /// The readable or the writable bytes of a chain do not fit 32 bits. Its head.
    TooLong(u16),
    /// A chain has more than [`MAX_SEGMENTS`] buffers, or pieces of pages. Its head. The specification allows it; the
    /// service channel has no room for it, and block drivers are told limits that keep them below.
    TooManyPieces(u16),
    /// An indirect descriptor where that was not negotiated, or inside an indirect table. Its address.
    Indirect(u64),
    /// An indirect descriptor that has a successor. Its address.
    IndirectNext(u64),
    /// The length of an indirect table is not a multiple of 16, or above [`crate::descriptor::MAX_INDIRECT`] entries.
    IndirectLength(u32),
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideMemory(gpa) => write!(f, "{gpa:#x} is outside the guest's memory"),
            Self::AvailableJump(idx) => write!(f, "the available index {idx} is too far ahead"),
            Self::HeadBeyondTable(n) => write!(f, "descriptor {n}, made available, is beyond the table"),
            Self::HeadInUse(n) => write!(f, "descriptor {n}, made available, is with the device already"),
            Self::NextBeyondTable(n) => write!(f, "descriptor {n}, named as the next, is beyond the table"),
            Self::Loop(n) => write!(f, "the chain from descriptor {n} loops"),
            Self::ZeroLength(gpa) => write!(f, "the buffer at {gpa:#x} has length 0"),
            Self::Wraps(gpa) => write!(f, "the buffer at {gpa:#x} wraps around"),
            Self::Order(gpa) => write!(f, "the readable buffer at {gpa:#x} follows a writable one"),
            Self::TooLong(n) => write!(f, "the chain from descriptor {n} is longer than 32 bits can say"),
            Self::TooManyPieces(n) => {
                write!(f, "the chain from descriptor {n} has more than {MAX_SEGMENTS} pieces, the most of a request")
            }
            Self::Indirect(gpa) => write!(f, "the indirect table at {gpa:#x} is not allowed here"),
            Self::IndirectNext(gpa) => write!(f, "the indirect table at {gpa:#x} has a successor"),
            Self::IndirectLength(len) => write!(f, "an indirect table has a length of {len} bytes"),
        }
    }
}

/// Why an operation on a queue did not happen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueError {
    /// Guest frame not present: page it in, then do the whole operation again.
    NotPresent(u64),
    /// The driver broke the specification.
    Breach(Breach),
    /// The caller's mistake: this head is not with the device.
    NotLive(u16),
}

impl From<Fault> for QueueError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::NotPresent(gfn) => Self::NotPresent(gfn),
            Fault::Bad(gpa) => Self::Breach(Breach::OutsideMemory(gpa)),
        }
    }
}

impl From<Breach> for QueueError {
    fn from(breach: Breach) -> Self {
        Self::Breach(breach)
    }
}
