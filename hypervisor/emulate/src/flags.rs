//! Arithmetic flags and conditions (APM volume 3, sections 1.4 and 1.8).

use iced_x86::Mnemonic;

/// Carry.
pub const CF: u64 = 1 << 0;
/// Parity of the low byte.
pub const PF: u64 = 1 << 2;
/// Carry out of bit 3.
pub const AF: u64 = 1 << 4;
/// Zero.
pub const ZF: u64 = 1 << 6;
/// Sign.
pub const SF: u64 = 1 << 7;
/// Direction of string instructions.
pub const DF: u64 = 1 << 10;
/// Signed overflow.
pub const OF: u64 = 1 << 11;
/// Resume: suppresses instruction breakpoints for one instruction.
pub const RF: u64 = 1 << 16;
/// Those that arithmetic sets.
pub const ARITHMETIC: u64 = CF | PF | AF | ZF | SF | OF;

/// `rflags` with the bits of `mask` taken from `values`.
#[must_use]
pub const fn replace(rflags: u64, mask: u64, values: u64) -> u64 {
    (rflags & !mask) | (values & mask)
}

/// The condition's number (the low four bits of the opcode) of a SETcc or CMOVcc; `None` for others.
#[must_use]
pub const fn condition(mnemonic: Mnemonic) -> Option<u8> {
    Some(match mnemonic {
        Mnemonic::Seto | Mnemonic::Cmovo => 0,
        Mnemonic::Setno | Mnemonic::Cmovno => 1,
        Mnemonic::Setb | Mnemonic::Cmovb => 2,
        Mnemonic::Setae | Mnemonic::Cmovae => 3,
        Mnemonic::Sete | Mnemonic::Cmove => 4,
        Mnemonic::Setne | Mnemonic::Cmovne => 5,
        Mnemonic::Setbe | Mnemonic::Cmovbe => 6,
        Mnemonic::Seta | Mnemonic::Cmova => 7,
        Mnemonic::Sets | Mnemonic::Cmovs => 8,
        Mnemonic::Setns | Mnemonic::Cmovns => 9,
        Mnemonic::Setp | Mnemonic::Cmovp => 10,
        Mnemonic::Setnp | Mnemonic::Cmovnp => 11,
        Mnemonic::Setl | Mnemonic::Cmovl => 12,
        Mnemonic::Setge | Mnemonic::Cmovge => 13,
        Mnemonic::Setle | Mnemonic::Cmovle => 14,
        Mnemonic::Setg | Mnemonic::Cmovg => 15,
        _ => return None,
    })
}

/// Whether condition `number` (0 to 15) holds in `rflags`.
#[must_use]
pub const fn holds(number: u8, rflags: u64) -> bool {
    let less = (rflags & SF != 0) != (rflags & OF != 0);
    let positive = match number >> 1 & 7 {
        0 => rflags & OF != 0,
        1 => rflags & CF != 0,
        2 => rflags & ZF != 0,
        3 => rflags & (CF | ZF) != 0,
        4 => rflags & SF != 0,
        5 => rflags & PF != 0,
        6 => less,
        _ => less || rflags & ZF != 0,
    };
    positive != (number & 1 != 0)
}
