//! One element of a string instruction.

use super::{Plan, Text, TextKind};
use crate::alu::Alu;
use crate::flags::{self, ZF};
use crate::registers::{Part, Registers, index, width_mask};

impl Text {
    pub(super) fn finish(&self, plan: &Plan, registers: &mut Registers, loaded: u64) -> Option<u64> {
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
