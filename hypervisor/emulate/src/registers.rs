//! The registers that an emulated instruction can see, and parts of them.

use iced_x86::Register;

/// The width of code: CS.L and CS.D (APM volume 2, section 4.8).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Real mode, virtual-8086 mode and 16-bit segments.
    Bits16,
    /// 32-bit segments.
    Bits32,
    /// 64-bit mode.
    Bits64,
}

impl Mode {
    /// 16, 32 or 64.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bits16 => 16,
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// The bits of an instruction pointer or a stack pointer.
    #[must_use]
    pub const fn mask(self) -> u64 {
        width_mask(self.bits() / 8)
    }
}

/// Segment registers in the encoding's order (the index into [`Registers::segment_bases`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Segment {
    /// ES.
    Es = 0,
    /// CS.
    Cs = 1,
    /// SS.
    Ss = 2,
    /// DS.
    Ds = 3,
    /// FS.
    Fs = 4,
    /// GS.
    Gs = 5,
}

/// A vCPU's registers, as far as emulation reads and writes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Registers {
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15: the encoding's order.
    pub gpr: [u64; 16],
    /// Address of the instruction, relative to CS.
    pub rip: u64,
    /// Flags.
    pub rflags: u64,
    /// Bases of es, cs, ss, ds, fs, gs. In 64-bit mode only the last two are used.
    pub segment_bases: [u64; 6],
}

/// Indices into [`Registers::gpr`].
pub mod index {
    /// rax.
    pub const RAX: usize = 0;
    /// rcx.
    pub const RCX: usize = 1;
    /// rdx.
    pub const RDX: usize = 2;
    /// rbx.
    pub const RBX: usize = 3;
    /// rsp.
    pub const RSP: usize = 4;
    /// rsi.
    pub const RSI: usize = 6;
    /// rdi.
    pub const RDI: usize = 7;
}

/// The low `width` bytes set; all ones for 8 and more.
#[must_use]
pub const fn width_mask(width: u32) -> u64 {
    if width >= 8 { u64::MAX } else { (1 << (width * 8)) - 1 }
}

/// `value`'s low `width` bytes, sign-extended to 64 bits.
#[must_use]
pub const fn sign_extend(value: u64, width: u32) -> u64 {
    let sign = (width_mask(width) >> 1) + 1;
    ((value & width_mask(width)) ^ sign).wrapping_sub(sign)
}

/// A general-purpose register or a part of one, as an operand names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Part {
    /// Index into [`Registers::gpr`].
    number: u8,
    /// 1, 2, 4 or 8 bytes.
    width: u8,
    /// ah, ch, dh or bh.
    high: bool,
}

impl Part {
    /// The low `width` (1, 2, 4, 8) bytes of register `number` (modulo 16).
    #[must_use]
    pub const fn low(number: usize, width: u32) -> Self {
        Self { number: (number & 15) as u8, width: width as u8, high: false }
    }

    /// The part that the decoder's register stands for; `None` if it is no general-purpose register.
    #[must_use]
    pub fn of(register: Register) -> Option<Self> {
        let r = register as usize;
        let within =
            |first: Register, last: Register| (first as usize..=last as usize).contains(&r).then(|| r - first as usize);
        if let Some(n) = within(Register::AL, Register::BL) {
            return Some(Self::low(n, 1));
        }
        if let Some(n) = within(Register::AH, Register::BH) {
            return Some(Self { high: true, ..Self::low(n, 1) });
        }
        if let Some(n) = within(Register::SPL, Register::R15L) {
            return Some(Self::low(n + index::RSP, 1));
        }
        let wide =
            [(Register::AX, Register::R15W, 2), (Register::EAX, Register::R15D, 4), (Register::RAX, Register::R15, 8)];
        wide.into_iter().find_map(|(first, last, width)| within(first, last).map(|n| Self::low(n, width)))
    }

    /// Bytes: 1, 2, 4 or 8.
    #[must_use]
    pub const fn width(self) -> u32 {
        self.width as u32
    }

    /// The part's value, zero-extended.
    #[must_use]
    pub fn read(self, registers: &Registers) -> u64 {
        let whole = registers.gpr.get(usize::from(self.number)).copied().unwrap_or(0);
        (if self.high { whole >> 8 } else { whole }) & width_mask(self.width())
    }

    /// Writes the part: 4 bytes clear the upper half, 1 and 2 leave the rest (APM volume 1, section 3.1.2).
    pub fn write(self, registers: &mut Registers, value: u64) {
        let Some(whole) = registers.gpr.get_mut(usize::from(self.number)) else { return };
        let mask = width_mask(self.width());
        *whole = match (self.width, self.high) {
            (_, true) => (*whole & !0xff00) | (value & 0xff) << 8,
            (1 | 2, false) => (*whole & !mask) | (value & mask),
            _ => value & mask,
        };
    }
}

impl Registers {
    /// Moves the instruction pointer behind a finished instruction, and ends the resume flag's effect
    /// (APM volume 2, section 13.1.4: RF is cleared when an instruction completes).
    pub fn complete(&mut self, next_rip: u64) {
        self.rip = next_rip;
        self.rflags &= !crate::flags::RF;
    }
}
