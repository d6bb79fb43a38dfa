//! Instructions with one explicit memory operand.

use super::Exit;
use crate::alu::Alu;
use crate::bits::Bit;
use crate::decode;
use crate::flags;
use crate::plan::{Access, Action, Place, Plan};
use crate::refusal::Refusal;
use crate::registers::{Part, Registers, Segment, index, sign_extend, width_mask};
use iced_x86::{Instruction, Mnemonic, OpKind};

/// Which accesses an action makes at the memory operand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Load,
    Store,
    Both,
}

pub(super) fn plan(instruction: &Instruction, exit: &Exit<'_>) -> Result<Plan, Refusal> {
    let memory = (0..instruction.op_count()).find(|&i| instruction.op_kind(i) == OpKind::Memory);
    // What it accesses is implicit: the stack, a descriptor or interrupt table, the next instruction.
    let Some(memory) = memory else { return Err(Refusal::NotEmulated) };
    if matches!(instruction.mnemonic(), Mnemonic::Push | Mnemonic::Pop) {
        return stack(instruction, exit);
    }
    let (action, usage) = action(instruction, memory, exit.registers)?;
    let width = decode::memory_width(instruction)?;
    let mut linear = decode::linear(instruction, memory, exit.mode, exit.registers)?;
    if let Action::Bit { bit, .. } = action
        && instruction.op_kind(1) == OpKind::Register
    {
        linear = decode::wrap(linear.wrapping_add(bit_displacement(bit, width)), exit.mode);
    }
    let access = exit.device(linear, width)?;
    let plan = Plan {
        load: (usage != Use::Store).then_some(access),
        store: (usage != Use::Load).then_some(access),
        action,
        next_rip: decode::next_rip(instruction, exit.mode),
        mode: exit.mode,
    };
    exit.check_direction(plan)
}

fn action(instruction: &Instruction, memory: u32, registers: &Registers) -> Result<(Action, Use), Refusal> {
    let mnemonic = instruction.mnemonic();
    let stores = memory == 0;
    let other = || decode::value(instruction, 1 - memory.min(1), registers);
    if let Some(op) = Alu::of(mnemonic) {
        let other = if op.is_unary() { 0 } else { other()? };
        let to = if stores || !op.writes() { None } else { Some(decode::part(instruction, 0)?) };
        let usage = if stores && op.writes() { Use::Both } else { Use::Load };
        return Ok((Action::Alu { op, other, memory_is_left: stores, to }, usage));
    }
    if let Some(op) = Bit::of(mnemonic) {
        let bit = other()?;
        // A register's bit index is signed and reaches beyond the operand (APM volume 3, BT).
        let bit = if instruction.op_kind(1) == OpKind::Register {
            sign_extend(bit, decode::part(instruction, 1)?.width())
        } else {
            bit
        };
        return Ok((Action::Bit { op, bit }, if op == Bit::Test { Use::Load } else { Use::Both }));
    }
    if let Some(number) = flags::condition(mnemonic) {
        let holds = flags::holds(number, registers.rflags);
        return Ok(if stores {
            (Action::Store { value: u64::from(holds) }, Use::Store)
        } else {
            (load(instruction, false, false, holds)?, Use::Load)
        });
    }
    Ok(match mnemonic {
        Mnemonic::Mov | Mnemonic::Movnti if stores => (Action::Store { value: other()? }, Use::Store),
        Mnemonic::Mov | Mnemonic::Movzx => (load(instruction, false, false, true)?, Use::Load),
        Mnemonic::Movsx | Mnemonic::Movsxd => (load(instruction, true, false, true)?, Use::Load),
        Mnemonic::Movbe if stores => {
            let width = decode::part(instruction, 1)?.width();
            (Action::Store { value: (other()? & width_mask(width)).swap_bytes() >> (64 - 8 * width) }, Use::Store)
        }
        Mnemonic::Movbe => (load(instruction, false, true, true)?, Use::Load),
        Mnemonic::Xchg => (Action::Exchange { with: decode::part(instruction, 1 - memory.min(1))? }, Use::Both),
        Mnemonic::Xadd => (Action::ExchangeAdd { with: decode::part(instruction, 1)? }, Use::Both),
        Mnemonic::Cmpxchg => (Action::CompareExchange { new: other()? }, Use::Both),
        Mnemonic::Cmpxchg8b => (Action::CompareExchange8, Use::Both),
        _ => return Err(Refusal::NotEmulated),
    })
}

fn load(instruction: &Instruction, signed: bool, swap: bool, wanted: bool) -> Result<Action, Refusal> {
    Ok(Action::Load { to: decode::part(instruction, 0)?, signed, swap, wanted })
}

/// Bytes from the operand to the element that holds bit `bit` (signed).
const fn bit_displacement(bit: u64, width: u32) -> u64 {
    let shift = width.trailing_zeros() + 3;
    ((bit.cast_signed() >> shift) << (shift - 3)).cast_unsigned()
}

/// PUSH and POP of a device register: the other place is the stack.
fn stack(instruction: &Instruction, exit: &Exit<'_>) -> Result<Plan, Refusal> {
    let width = decode::memory_width(instruction)?;
    let mask = exit.mode.mask();
    let mut registers = *exit.registers;
    let stack_pointer = Part::low(index::RSP, exit.mode.bits() / 8);
    let pointer = stack_pointer.read(&registers);
    let is_pop = instruction.mnemonic() == Mnemonic::Pop;
    // POP computes its operand's address with the already advanced pointer (APM volume 3, POP).
    if is_pop {
        stack_pointer.write(&mut registers, pointer.wrapping_add(u64::from(width)));
    }
    let device = exit.device(decode::linear(instruction, 0, exit.mode, &registers)?, width)?;
    let top = if is_pop { pointer } else { pointer.wrapping_sub(u64::from(width)) & mask };
    let base = decode::segment_base(Segment::Ss, exit.mode, exit.registers);
    let stack = Access { place: Place::Memory(decode::wrap(base.wrapping_add(top), exit.mode)), width };
    let (load, store, action) = if is_pop { (stack, device, Action::Pop) } else { (device, stack, Action::Push) };
    exit.check_direction(Plan {
        load: Some(load),
        store: Some(store),
        action,
        next_rip: decode::next_rip(instruction, exit.mode),
        mode: exit.mode,
    })
}
