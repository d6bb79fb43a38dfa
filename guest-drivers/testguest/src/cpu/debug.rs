//! Debug registers (SDM volume 3, section 18.2).

use core::arch::asm;

/// #DB.
pub const VECTOR: u8 = 1;
/// DR6 after reset.
pub const DR6_RESET: u64 = 0xffff_0ff0;
/// DR7 after reset.
pub const DR7_RESET: u64 = 0x400;

/// What a breakpoint waits for, as the bits of its field in DR7.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Execution at the address.
    Execute = 0b0000,
    /// A write to the aligned 8 bytes.
    Write8 = 0b1001,
}

macro_rules! registers {
    ($($read:ident $write:ident $name:literal;)*) => {
        $(
            #[doc = concat!("Reads ", $name, ".")]
            pub fn $read() -> u64 {
                let value;
                // SAFETY: reads a register.
                unsafe { asm!(concat!("mov {}, ", $name), out(reg) value, options(nomem, nostack)) };
                value
            }
            #[doc = concat!("Writes ", $name, ".")]
            pub fn $write(value: u64) {
                // SAFETY: a debug exception is handled, or meant to end the domain.
                unsafe { asm!(concat!("mov ", $name, ", {}"), in(reg) value, options(nostack)) };
            }
        )*
    };
}
registers! {
    dr0 set_dr0 "dr0"; dr1 set_dr1 "dr1"; dr2 set_dr2 "dr2"; dr3 set_dr3 "dr3"; dr6 set_dr6 "dr6"; dr7 set_dr7 "dr7";
}

/// DR0 to DR3.
pub fn addresses() -> [u64; 4] {
    [dr0(), dr1(), dr2(), dr3()]
}

/// Sets them.
pub fn set_addresses([zero, one, two, three]: [u64; 4]) {
    set_dr0(zero);
    set_dr1(one);
    set_dr2(two);
    set_dr3(three);
}

/// Arms breakpoint `number` (0 to 3) alone.
pub fn arm(number: u64, address: u64, kind: Kind) {
    match number {
        0 => set_dr0(address),
        1 => set_dr1(address),
        2 => set_dr2(address),
        _ => set_dr3(address),
    }
    set_dr7(DR7_RESET | 2 << (2 * number) | (kind as u64) << (16 + 4 * number));
}

/// Disarms all.
pub fn disarm() {
    set_dr7(DR7_RESET);
}
