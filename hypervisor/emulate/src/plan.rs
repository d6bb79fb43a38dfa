//! What an instruction does, in the caller's hands: load one value, compute, store one value.
//!
//! Protocol: (1) check that both places are accessible: translate a [`Place::Memory`] with the guest's
//! page tables and rights, and deliver the guest's page fault instead if that fails; a translation may
//! also end at a device. (2) Perform [`Plan::load`], if there is one. (3) [`Plan::finish`]. (4) Perform
//! [`Plan::store`] with the value that it returned. Nothing changed before step 3, so an exit may be
//! abandoned and the instruction run again until then.
//!
//! The single-step trap, the interrupt shadow and pending debug exceptions are the caller's.

use crate::alu::Alu;
use crate::bits::Bit;
use crate::flags::{self, ZF};
use crate::registers::{Mode, Part, Registers, index, sign_extend, width_mask};

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

    /// Carries out the computation: registers, flags and instruction pointer change as the processor
    /// would change them. Returns the value for [`Plan::store`] (`Some` if and only if that is `Some`).
    ///
    /// A repeated string instruction does one element; `rip` stays on it until the last, so that the
    /// guest makes the next exit by itself and interrupts get in between.
    #[must_use]
    pub fn finish(&self, registers: &mut Registers, loaded: u64) -> Option<u64> {
        let width = self.load.or(self.store).map_or(8, |access| access.width);
        let loaded = loaded & width_mask(self.load.map_or(8, |access| access.width));
        let result = match self.action {
            Action::Text(text) => return text.finish(self, registers, loaded),
            Action::Load { to, signed, swap, wanted } => {
                let value = if swap { loaded.swap_bytes() >> (64 - 8 * width) } else { loaded };
                let value = if signed { sign_extend(value, width) } else { value };
                to.write(registers, if wanted { value } else { to.read(registers) });
                0
            }
            Action::Store { value } => value,
            Action::Nothing => 0,
            Action::Alu { op, other, memory_is_left, to } => {
                let (left, right) = if memory_is_left { (loaded, other) } else { (other, loaded) };
                let (result, rflags) = op.apply(left, right, width, registers.rflags);
                registers.rflags = rflags;
                if let Some(part) = to {
                    part.write(registers, result);
                }
                result
            }
            Action::Bit { op, bit } => {
                let (result, rflags) = op.apply(loaded, bit, width, registers.rflags);
                registers.rflags = rflags;
                result
            }
            Action::Exchange { with } => {
                let old = with.read(registers);
                with.write(registers, loaded);
                old
            }
            Action::ExchangeAdd { with } => {
                let (result, rflags) = Alu::Add.apply(loaded, with.read(registers), width, registers.rflags);
                registers.rflags = rflags;
                with.write(registers, loaded);
                result
            }
            Action::CompareExchange { new } => {
                let accumulator = Part::low(index::RAX, width);
                let (difference, rflags) = Alu::Sub.apply(accumulator.read(registers), loaded, width, registers.rflags);
                registers.rflags = rflags;
                if difference == 0 {
                    new
                } else {
                    accumulator.write(registers, loaded);
                    loaded
                }
            }
            Action::CompareExchange8 => compare_exchange_8(registers, loaded),
            Action::Push => self.move_stack(registers, loaded, false),
            Action::Pop => self.move_stack(registers, loaded, true),
        };
        registers.complete(self.next_rip);
        self.store.map(|access| result & width_mask(access.width))
    }

    fn move_stack(&self, registers: &mut Registers, value: u64, up: bool) -> u64 {
        let width = u64::from(self.load.map_or(0, |access| access.width));
        let pointer = Part::low(index::RSP, self.mode.bits() / 8);
        let old = pointer.read(registers);
        pointer.write(registers, if up { old.wrapping_add(width) } else { old.wrapping_sub(width) });
        value
    }
}

fn compare_exchange_8(registers: &mut Registers, loaded: u64) -> u64 {
    let pair = |high, low| Part::low(high, 4).read(registers) << 32 | Part::low(low, 4).read(registers);
    let (old, new) = (pair(index::RDX, index::RAX), pair(index::RCX, index::RBX));
    if old == loaded {
        registers.rflags |= ZF;
        return new;
    }
    registers.rflags &= !ZF;
    Part::low(index::RDX, 4).write(registers, loaded >> 32);
    Part::low(index::RAX, 4).write(registers, loaded);
    loaded
}

impl Text {
    fn finish(&self, plan: &Plan, registers: &mut Registers, loaded: u64) -> Option<u64> {
        let accumulator = Part::low(index::RAX, self.width);
        let stored = match self.kind {
            TextKind::Move => loaded,
            TextKind::Store => accumulator.read(registers),
            TextKind::Load => {
                accumulator.write(registers, loaded);
                0
            }
            TextKind::Scan => {
                let old = accumulator.read(registers);
                registers.rflags = Alu::Cmp.apply(old, loaded, self.width, registers.rflags).1;
                0
            }
        };
        let width = u64::from(self.width);
        let step = if registers.rflags & flags::DF != 0 { width.wrapping_neg() } else { width };
        for pointer in [self.source, self.destination].into_iter().flatten() {
            pointer.write(registers, pointer.read(registers).wrapping_add(step));
        }
        let mut again = false;
        if let Some(count) = self.count {
            let left = count.read(registers).wrapping_sub(1);
            count.write(registers, left);
            let zero = registers.rflags & ZF != 0;
            again = left & width_mask(count.width()) != 0 && self.while_zero.is_none_or(|wanted| wanted == zero);
        }
        if !again {
            registers.complete(plan.next_rip);
        }
        plan.store.map(|access| stored & width_mask(access.width))
    }
}
