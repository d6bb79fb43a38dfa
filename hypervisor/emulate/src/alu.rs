//! Integer arithmetic with flags, for operands of 1, 2, 4 and 8 bytes.

use crate::flags::{AF, CF, OF, PF, SF, ZF};
use crate::registers::width_mask;
use iced_x86::Mnemonic;

/// An operation on one or two operands that sets flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alu {
    /// left + right.
    Add,
    /// left + right + carry.
    Adc,
    /// left - right.
    Sub,
    /// left - right - carry.
    Sbb,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// left - right, only flags.
    Cmp,
    /// Bitwise and, only flags.
    Test,
    /// left + 1; the carry flag stays.
    Inc,
    /// left - 1; the carry flag stays.
    Dec,
    /// Complement; no flags.
    Not,
    /// 0 - left.
    Neg,
}

impl Alu {
    /// The operation of an instruction; `None` if it is none of these.
    #[must_use]
    pub const fn of(mnemonic: Mnemonic) -> Option<Self> {
        Some(match mnemonic {
            Mnemonic::Add => Self::Add,
            Mnemonic::Adc => Self::Adc,
            Mnemonic::Sub => Self::Sub,
            Mnemonic::Sbb => Self::Sbb,
            Mnemonic::And => Self::And,
            Mnemonic::Or => Self::Or,
            Mnemonic::Xor => Self::Xor,
            Mnemonic::Cmp => Self::Cmp,
            Mnemonic::Test => Self::Test,
            Mnemonic::Inc => Self::Inc,
            Mnemonic::Dec => Self::Dec,
            Mnemonic::Not => Self::Not,
            Mnemonic::Neg => Self::Neg,
            _ => return None,
        })
    }

    /// False for those that only set flags.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Cmp | Self::Test)
    }

    /// True for those with one operand.
    #[must_use]
    pub const fn is_unary(self) -> bool {
        matches!(self, Self::Inc | Self::Dec | Self::Not | Self::Neg)
    }

    /// The result and the new rflags. Only the low `width` bytes of the operands count. Flags that the
    /// architecture leaves undefined (AF after logic) are cleared, as processors do.
    #[must_use]
    pub const fn apply(self, left: u64, right: u64, width: u32, rflags: u64) -> (u64, u64) {
        let mask = width_mask(width);
        let (left, right) = (left & mask, right & mask);
        let carry = rflags & CF;
        match self {
            Self::Add => sum(left, right, 0, width, rflags),
            Self::Adc => sum(left, right, carry, width, rflags),
            Self::Sub | Self::Cmp => difference(left, right, 0, width, rflags),
            Self::Sbb => difference(left, right, carry, width, rflags),
            Self::And | Self::Test => logic(left & right, width, rflags),
            Self::Or => logic(left | right, width, rflags),
            Self::Xor => logic(left ^ right, width, rflags),
            Self::Neg => difference(0, left, 0, width, rflags),
            Self::Not => (!left & mask, rflags),
            Self::Inc => {
                let (result, flags) = sum(left, 1, 0, width, rflags);
                (result, (flags & !CF) | carry)
            }
            Self::Dec => {
                let (result, flags) = difference(left, 1, 0, width, rflags);
                (result, (flags & !CF) | carry)
            }
        }
    }
}

const fn set(flags: u64, bit: u64, value: bool) -> u64 {
    if value { flags | bit } else { flags & !bit }
}

/// ZF, SF and PF of a result.
const fn result_flags(result: u64, width: u32, rflags: u64) -> u64 {
    let flags = set(rflags, ZF, result == 0);
    let flags = set(flags, SF, result & sign(width) != 0);
    set(flags, PF, (result as u8).count_ones() & 1 == 0)
}

const fn sign(width: u32) -> u64 {
    (width_mask(width) >> 1) + 1
}

const fn sum(left: u64, right: u64, carry: u64, width: u32, rflags: u64) -> (u64, u64) {
    let wide = left as u128 + right as u128 + carry as u128;
    let result = wide as u64 & width_mask(width);
    let flags = result_flags(result, width, rflags);
    let flags = set(flags, CF, wide > width_mask(width) as u128);
    let flags = set(flags, AF, (left ^ right ^ result) & 0x10 != 0);
    (result, set(flags, OF, (left ^ result) & (right ^ result) & sign(width) != 0))
}

const fn difference(left: u64, right: u64, borrow: u64, width: u32, rflags: u64) -> (u64, u64) {
    let result = left.wrapping_sub(right).wrapping_sub(borrow) & width_mask(width);
    let flags = result_flags(result, width, rflags);
    let flags = set(flags, CF, (left as u128) < right as u128 + borrow as u128);
    let flags = set(flags, AF, (left ^ right ^ result) & 0x10 != 0);
    (result, set(flags, OF, (left ^ right) & (left ^ result) & sign(width) != 0))
}

const fn logic(result: u64, width: u32, rflags: u64) -> (u64, u64) {
    let flags = result_flags(result, width, rflags);
    (result, flags & !(CF | OF | AF))
}
