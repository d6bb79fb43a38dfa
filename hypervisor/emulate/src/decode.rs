//! From bytes to an instruction, and from an operand to an address or a value: what all emulation shares.

use crate::refusal::Refusal;
use crate::registers::{Mode, Part, Registers, Segment};
use iced_x86::{Decoder, DecoderError, DecoderOptions, Instruction, MemorySize, OpKind, Register};

/// Longest instruction, in bytes.
pub const MAX_LENGTH: usize = 15;

/// Decodes the instruction at `rip`; bytes after it do not matter.
///
/// # Errors
/// [`Refusal::Incomplete`] and [`Refusal::Invalid`].
pub fn instruction(bytes: &[u8], mode: Mode, rip: u64) -> Result<Instruction, Refusal> {
    let bytes = bytes.get(..MAX_LENGTH).unwrap_or(bytes);
    let mut decoder =
        Decoder::try_with_ip(mode.bits(), bytes, rip, DecoderOptions::NONE).map_err(|_| Refusal::Invalid)?;
    let instruction = decoder.decode();
    match decoder.last_error() {
        DecoderError::None => Ok(instruction),
        DecoderError::NoMoreBytes if bytes.len() < MAX_LENGTH => Err(Refusal::Incomplete),
        _ => Err(Refusal::Invalid),
    }
}

/// Builds the decoder's tables, which else the first exit would wait for: some hundred KiB on the heap, once.
/// Returns whether the decoder works.
#[must_use]
pub fn prepare() -> bool {
    instruction(&[0x0f, 0xa2], Mode::Bits64, 0).is_ok_and(|cpuid| cpuid.len() == 2)
}

/// The address behind `instruction`, as the instruction pointer of `mode` wraps.
#[must_use]
pub fn next_rip(instruction: &Instruction, mode: Mode) -> u64 {
    instruction.next_ip() & mode.mask()
}

/// Bytes of the memory operand: 1, 2, 4 or 8.
///
/// # Errors
/// [`Refusal::NotEmulated`] for every other size.
pub fn memory_width(instruction: &Instruction) -> Result<u32, Refusal> {
    match instruction.memory_size() {
        MemorySize::UInt8 | MemorySize::Int8 => Ok(1),
        MemorySize::UInt16 | MemorySize::Int16 => Ok(2),
        MemorySize::UInt32 | MemorySize::Int32 => Ok(4),
        MemorySize::UInt64 | MemorySize::Int64 => Ok(8),
        _ => Err(Refusal::NotEmulated),
    }
}

/// Linear address of memory operand `operand`.
///
/// # Errors
/// [`Refusal::NotEmulated`] if it involves other than general-purpose registers.
pub fn linear(instruction: &Instruction, operand: u32, mode: Mode, registers: &Registers) -> Result<u64, Refusal> {
    let address = instruction.virtual_address(operand, 0, |register, _, _| match segment_of(register) {
        Some(segment) => Some(segment_base(segment, mode, registers)),
        None => Part::of(register).map(|part| part.read(registers)),
    });
    address.map(|linear| wrap(linear, mode)).ok_or(Refusal::NotEmulated)
}

/// A segment's base as addressing uses it: 0 in 64-bit mode but for FS and GS.
#[must_use]
pub fn segment_base(segment: Segment, mode: Mode, registers: &Registers) -> u64 {
    match (mode, segment) {
        (Mode::Bits64, Segment::Es | Segment::Cs | Segment::Ss | Segment::Ds) => 0,
        _ => registers.segment_bases.get(segment as usize).copied().unwrap_or(0),
    }
}

/// Linear addresses are 32 bits wide outside 64-bit mode.
#[must_use]
pub const fn wrap(linear: u64, mode: Mode) -> u64 {
    match mode {
        Mode::Bits64 => linear,
        _ => linear & 0xffff_ffff,
    }
}

const fn segment_of(register: Register) -> Option<Segment> {
    Some(match register {
        Register::ES => Segment::Es,
        Register::CS => Segment::Cs,
        Register::SS => Segment::Ss,
        Register::DS => Segment::Ds,
        Register::FS => Segment::Fs,
        Register::GS => Segment::Gs,
        _ => return None,
    })
}

/// The general-purpose register that operand `operand` is.
///
/// # Errors
/// [`Refusal::NotEmulated`] if it is anything else.
pub fn part(instruction: &Instruction, operand: u32) -> Result<Part, Refusal> {
    match instruction.op_kind(operand) {
        OpKind::Register => Part::of(instruction.op_register(operand)).ok_or(Refusal::NotEmulated),
        _ => Err(Refusal::NotEmulated),
    }
}

/// Value of operand `operand`, a register or an immediate (sign-extended as encoded).
///
/// # Errors
/// [`Refusal::NotEmulated`] if it is anything else.
pub fn value(instruction: &Instruction, operand: u32, registers: &Registers) -> Result<u64, Refusal> {
    match instruction.op_kind(operand) {
        OpKind::Register => part(instruction, operand).map(|part| part.read(registers)),
        _ => instruction.try_immediate(operand).map_err(|_| Refusal::NotEmulated),
    }
}
