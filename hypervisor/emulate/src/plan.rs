//! What an instruction does, in the caller's hands: load one value, compute, store one value.
//!
//! Protocol: (1) check that both places are accessible: translate a [`Place::Memory`] with the guest's
//! page tables and rights, and deliver the guest's page fault instead if that fails; a translation may
//! also end at a device. (2) Perform [`Plan::load`], if there is one. (3) [`Plan::finish`]. (4) Perform
//! [`Plan::store`] with the value that it returned. Nothing changed before step 3, so an exit may be
//! abandoned and the instruction run again until then.
//!
//! The single-step trap, the interrupt shadow and pending debug exceptions are the caller's.

mod finish;
mod text;

use crate::alu::Alu;
use crate::bits::Bit;
use crate::registers::{Mode, Part};

/// Where a value comes from or goes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The device register at the exit's guest-physical address.
    Device(u64),
    /// Guest memory at this linear address, to be translated by the caller; it may cross a page.
    Memory(u64),
    /// An I/O port.
    Port(u16),
}

/// One load or store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// Where.
    pub place: Place,
    /// Bytes: 1, 2, 4 or 8.
    pub width: u32,
}

/// An instruction that was understood; see the module for how to carry it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    pub(crate) load: Option<Access>,
    pub(crate) store: Option<Access>,
    pub(crate) action: Action,
    pub(crate) next_rip: u64,
    pub(crate) mode: Mode,
}

/// The computation between load and store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    /// The loaded value goes to a register, if `wanted`; if not, a 4-byte register is still zero-extended.
    Load { to: Part, signed: bool, swap: bool, wanted: bool },
    /// This value is stored.
    Store { value: u64 },
    /// Arithmetic of memory and `other`; the result goes to `to`, or else to the store.
    Alu { op: Alu, other: u64, memory_is_left: bool, to: Option<Part> },
    /// A bit of memory.
    Bit { op: Bit, bit: u64 },
    /// Memory and register change places.
    Exchange { with: Part },
    /// Memory gets the sum, the register the old value.
    ExchangeAdd { with: Part },
    /// Memory gets `new` if it equals the accumulator, which else gets memory.
    CompareExchange { new: u64 },
    /// The same for edx:eax and ecx:ebx.
    CompareExchange8,
    /// The loaded value is stored on the stack.
    Push,
    /// The value loaded from the stack is stored.
    Pop,
    /// One element of a string instruction.
    Text(Text),
    /// A repeated string instruction whose count is zero.
    Nothing,
}

/// One element of a string instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Text {
    pub(crate) kind: TextKind,
    /// Element size in bytes.
    pub(crate) width: u32,
    /// Pointers that advance.
    pub(crate) source: Option<Part>,
    pub(crate) destination: Option<Part>,
    /// The counter of a repeated instruction.
    pub(crate) count: Option<Part>,
    /// SCAS: goes on only while ZF has this value.
    pub(crate) while_zero: Option<bool>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TextKind {
    /// MOVS, INS, OUTS: the loaded value is stored.
    Move,
    /// STOS: the accumulator is stored.
    Store,
    /// LODS: the loaded value goes to the accumulator.
    Load,
    /// SCAS: the accumulator is compared with the loaded value.
    Scan,
}

impl Plan {
    /// What to load before [`Plan::finish`]; `None`: call it with 0.
    #[must_use]
    pub const fn load(&self) -> Option<Access> {
        self.load
    }

    /// Where to store what [`Plan::finish`] returns.
    #[must_use]
    pub const fn store(&self) -> Option<Access> {
        self.store
    }
}
