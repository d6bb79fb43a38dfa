//! String instructions with one operand at a device: one element an exit.

use super::Exit;
use crate::decode;
use crate::plan::{Access, Action, Place, Plan, Text, TextKind};
use crate::refusal::Refusal;
use crate::registers::{Part, index};
use iced_x86::{Code, Instruction, OpKind};

/// The plan of a string instruction; `Ok(None)` if it is none.
pub(super) fn plan(instruction: &Instruction, exit: &Exit<'_>) -> Result<Option<Plan>, Refusal> {
    let (kind, width) = match instruction.code() {
        Code::Movsb_m8_m8 => (TextKind::Move, 1),
        Code::Movsw_m16_m16 => (TextKind::Move, 2),
        Code::Movsd_m32_m32 => (TextKind::Move, 4),
        Code::Movsq_m64_m64 => (TextKind::Move, 8),
        Code::Stosb_m8_AL => (TextKind::Store, 1),
        Code::Stosw_m16_AX => (TextKind::Store, 2),
        Code::Stosd_m32_EAX => (TextKind::Store, 4),
        Code::Stosq_m64_RAX => (TextKind::Store, 8),
        Code::Lodsb_AL_m8 => (TextKind::Load, 1),
        Code::Lodsw_AX_m16 => (TextKind::Load, 2),
        Code::Lodsd_EAX_m32 => (TextKind::Load, 4),
        Code::Lodsq_RAX_m64 => (TextKind::Load, 8),
        Code::Scasb_AL_m8 => (TextKind::Scan, 1),
        Code::Scasw_AX_m16 => (TextKind::Scan, 2),
        Code::Scasd_EAX_m32 => (TextKind::Scan, 4),
        Code::Scasq_RAX_m64 => (TextKind::Scan, 8),
        _ => return Ok(None),
    };
    let operand = |number| decode::linear(instruction, number, exit.mode, exit.registers);
    let memory = |linear| Access { place: Place::Memory(linear), width };
    let (load, store) = match kind {
        TextKind::Move if exit.fault.write => (Some(memory(operand(1)?)), Some(exit.device(operand(0)?, width)?)),
        TextKind::Move => (Some(exit.device(operand(1)?, width)?), Some(memory(operand(0)?))),
        TextKind::Store => (None, Some(exit.device(operand(0)?, width)?)),
        TextKind::Load | TextKind::Scan => (Some(exit.device(operand(1)?, width)?), None),
    };
    let text = describe(instruction, kind, width);
    if text.count.is_some_and(|count| count.read(exit.registers) == 0) {
        return Err(Refusal::Mismatch);
    }
    let next_rip = decode::next_rip(instruction, exit.mode);
    exit.check_direction(Plan { load, store, action: Action::Text(text), next_rip, mode: exit.mode }).map(Some)
}

/// Pointers and counter of a string instruction, as wide as its addresses.
pub(crate) fn describe(instruction: &Instruction, kind: TextKind, width: u32) -> Text {
    let mut text = Text { kind, width, source: None, destination: None, count: None, while_zero: None };
    let mut address_width = 8;
    for operand in 0..instruction.op_count() {
        let (bytes, is_source) = match instruction.op_kind(operand) {
            OpKind::MemorySegSI => (2, true),
            OpKind::MemorySegESI => (4, true),
            OpKind::MemorySegRSI => (8, true),
            OpKind::MemoryESDI => (2, false),
            OpKind::MemoryESEDI => (4, false),
            OpKind::MemoryESRDI => (8, false),
            _ => continue,
        };
        address_width = bytes;
        if is_source {
            text.source = Some(Part::low(index::RSI, bytes));
        } else {
            text.destination = Some(Part::low(index::RDI, bytes));
        }
    }
    if instruction.has_rep_prefix() || instruction.has_repne_prefix() {
        text.count = Some(Part::low(index::RCX, address_width));
        // Both prefixes repeat; only comparing instructions look at ZF.
        text.while_zero = (kind == TextKind::Scan).then(|| !instruction.has_repne_prefix());
    }
    text
}
