//! Lengths of instructions that exit, for processors that do not report the next RIP.
//!
//! The bytes are read after the exit, so the guest may have changed them: they are decoded and compared
//! with what the exit says, never skipped by a constant. RDTSCP reported as RDTSC (seen on an
//! emulator) shows the same way: [`identify`] tells which it is.

use crate::decode;
use crate::refusal::Refusal;
use crate::registers::{Mode, Part};
use iced_x86::{Instruction, Mnemonic, Register};

/// Instructions that cause exits and have no operands in memory to emulate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "each is the mnemonic of its name")]
pub enum Exiting {
    Clgi,
    Clts,
    Cpuid,
    Hlt,
    Invd,
    Invlpg,
    Invlpga,
    Invpcid,
    Lmsw,
    Monitor,
    /// MOV to or from a control register: see [`control_move`].
    MoveControl,
    /// MOV to or from a debug register.
    MoveDebug,
    Mwait,
    Pause,
    Rdmsr,
    Rdpmc,
    Rdtsc,
    Rdtscp,
    Skinit,
    Stgi,
    Vmcall,
    Vmload,
    Vmmcall,
    Vmrun,
    Vmsave,
    Wbinvd,
    Wbnoinvd,
    Wrmsr,
    Xsetbv,
}

/// A MOV to or from a control register.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ControlMove {
    /// Number of the control register.
    pub control: u8,
    /// The other operand.
    pub register: Part,
    /// Whether the control register is written.
    pub write: bool,
    /// Bytes of the instruction.
    pub length: u32,
}

/// Length of the exiting instruction that `bytes` begin with, if it is one of the common ones without
/// prefixes, the same in all modes: [`identify`] without decoding.
#[must_use]
pub const fn plain(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [0xf4, ..] => Some(1),
        // INVD, WBINVD, WRMSR, RDMSR, CPUID.
        [0x0f, 0x08 | 0x09 | 0x30 | 0x32 | 0xa2, ..] => Some(2),
        // VMCALL, XSETBV, VMMCALL.
        [0x0f, 0x01, 0xc1 | 0xd1 | 0xd9, ..] => Some(3),
        _ => None,
    }
}

/// Which exiting instruction `bytes` begin with, and its length in bytes.
///
/// # Errors
/// [`Refusal::Another`] if it is a valid instruction that is not in [`Exiting`].
pub fn identify(bytes: &[u8], mode: Mode) -> Result<(Exiting, u32), Refusal> {
    let instruction = decode::instruction(bytes, mode, 0)?;
    let what = kind(&instruction).ok_or(Refusal::Another)?;
    Ok((what, length_of(&instruction)))
}

/// Length in bytes of the instruction, which must be `expected`.
///
/// # Errors
/// [`Refusal::Another`] if it is not.
pub fn length(bytes: &[u8], mode: Mode, expected: Exiting) -> Result<u32, Refusal> {
    match identify(bytes, mode)? {
        (found, length) if found == expected => Ok(length),
        _ => Err(Refusal::Another),
    }
}

/// The operands of a MOV to or from a control register, for processors without decode assists.
///
/// # Errors
/// [`Refusal::Another`] if it is another instruction.
pub fn control_move(bytes: &[u8], mode: Mode) -> Result<ControlMove, Refusal> {
    let instruction = decode::instruction(bytes, mode, 0)?;
    if instruction.mnemonic() != Mnemonic::Mov {
        return Err(Refusal::Another);
    }
    let (first, second) = (instruction.op_register(0), instruction.op_register(1));
    let (control, other, write) = match (control_number(first), control_number(second)) {
        (Some(control), _) => (control, second, true),
        (_, Some(control)) => (control, first, false),
        _ => return Err(Refusal::Another),
    };
    let register = Part::of(other).ok_or(Refusal::Another)?;
    Ok(ControlMove { control, register, write, length: length_of(&instruction) })
}

fn length_of(instruction: &Instruction) -> u32 {
    u32::try_from(instruction.len()).unwrap_or(0)
}

fn number_within(register: Register, first: Register, last: Register) -> Option<u8> {
    let number = register as usize;
    let range = first as usize..=last as usize;
    range.contains(&number).then(|| (number - first as usize) as u8)
}

fn control_number(register: Register) -> Option<u8> {
    number_within(register, Register::CR0, Register::CR15)
}

fn is_debug(register: Register) -> bool {
    number_within(register, Register::DR0, Register::DR15).is_some()
}

fn kind(instruction: &Instruction) -> Option<Exiting> {
    Some(match instruction.mnemonic() {
        Mnemonic::Clgi => Exiting::Clgi,
        Mnemonic::Clts => Exiting::Clts,
        Mnemonic::Cpuid => Exiting::Cpuid,
        Mnemonic::Hlt => Exiting::Hlt,
        Mnemonic::Invd => Exiting::Invd,
        Mnemonic::Invlpg => Exiting::Invlpg,
        Mnemonic::Invlpga => Exiting::Invlpga,
        Mnemonic::Invpcid => Exiting::Invpcid,
        Mnemonic::Lmsw => Exiting::Lmsw,
        Mnemonic::Monitor => Exiting::Monitor,
        Mnemonic::Mwait => Exiting::Mwait,
        Mnemonic::Pause => Exiting::Pause,
        Mnemonic::Rdmsr => Exiting::Rdmsr,
        Mnemonic::Rdpmc => Exiting::Rdpmc,
        Mnemonic::Rdtsc => Exiting::Rdtsc,
        Mnemonic::Rdtscp => Exiting::Rdtscp,
        Mnemonic::Skinit => Exiting::Skinit,
        Mnemonic::Stgi => Exiting::Stgi,
        Mnemonic::Vmcall => Exiting::Vmcall,
        Mnemonic::Vmload => Exiting::Vmload,
        Mnemonic::Vmmcall => Exiting::Vmmcall,
        Mnemonic::Vmrun => Exiting::Vmrun,
        Mnemonic::Vmsave => Exiting::Vmsave,
        Mnemonic::Wbinvd => Exiting::Wbinvd,
        Mnemonic::Wbnoinvd => Exiting::Wbnoinvd,
        Mnemonic::Wrmsr => Exiting::Wrmsr,
        Mnemonic::Xsetbv => Exiting::Xsetbv,
        Mnemonic::Mov => {
            let (first, second) = (instruction.op_register(0), instruction.op_register(1));
            if control_number(first).or(control_number(second)).is_some() {
                Exiting::MoveControl
            } else if is_debug(first) || is_debug(second) {
                Exiting::MoveDebug
            } else {
                return None;
            }
        }
        _ => return None,
    })
}
