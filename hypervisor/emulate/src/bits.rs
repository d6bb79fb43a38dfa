//! Single-bit instructions: BT, BTS, BTR, BTC (APM volume 3).

use crate::flags::CF;
use iced_x86::Mnemonic;

/// What happens to the bit after it was copied to the carry flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bit {
    /// Nothing.
    Test,
    /// It is set.
    Set,
    /// It is cleared.
    Reset,
    /// It is inverted.
    Complement,
}

impl Bit {
    /// The operation of an instruction; `None` if it is none of these.
    #[must_use]
    pub const fn of(mnemonic: Mnemonic) -> Option<Self> {
        Some(match mnemonic {
            Mnemonic::Bt => Self::Test,
            Mnemonic::Bts => Self::Set,
            Mnemonic::Btr => Self::Reset,
            Mnemonic::Btc => Self::Complement,
            _ => return None,
        })
    }

    /// The new value and rflags; `bit` counts modulo the width. Only CF changes.
    #[must_use]
    pub const fn apply(self, value: u64, bit: u64, width: u32, rflags: u64) -> (u64, u64) {
        let mask = 1u64 << (bit & (width as u64 * 8 - 1) & 63);
        let flags = if value & mask != 0 { rflags | CF } else { rflags & !CF };
        let result = match self {
            Self::Test => value,
            Self::Set => value | mask,
            Self::Reset => value & !mask,
            Self::Complement => value ^ mask,
        };
        (result, flags)
    }
}
