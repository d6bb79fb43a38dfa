//! The computation between load and store.

use super::{Action, Plan};
use crate::alu::Alu;
use crate::flags::ZF;
use crate::registers::{Part, Registers, index, sign_extend, width_mask};

impl Plan {
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
