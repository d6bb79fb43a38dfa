//! The local vector table (SDM 11.5.1). Depends on `registers` and `mode`.
//!
//! Invariant: while the APIC is software-disabled every entry is masked.

use crate::{DeliveryMode, registers};

/// Mask bit of an entry.
pub const MASKED: u32 = 1 << 16;
/// Bits that read as 0 here and are ignored in a write: delivery status, remote IRR.
const READ_ONLY: u32 = 1 << 12 | 1 << 14;

/// The sources of local interrupts, in the table's order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum LocalSource {
    /// Corrected machine checks.
    Cmci,
    /// The timer.
    Timer,
    /// The thermal sensor.
    Thermal,
    /// Performance counters.
    Perf,
    /// Pin LINT0.
    Lint0,
    /// Pin LINT1.
    Lint1,
    /// The APIC's own errors.
    Error,
}

/// What a local interrupt asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Nothing: masked, or a mode that a domain is not given.
    Nothing,
    /// This vector, in IRR by now where the APIC accepted it.
    Vector(u8),
    /// A non-maskable interrupt.
    Nmi,
    /// An interrupt whose vector the 8259 gives.
    ExtInt,
}

impl LocalSource {
    /// The source whose entry is MSR `index`.
    #[must_use]
    pub const fn of_register(index: u32) -> Option<Self> {
        Some(match index {
            registers::LVT_CMCI => Self::Cmci,
            registers::LVT_TIMER => Self::Timer,
            registers::LVT_THERMAL => Self::Thermal,
            registers::LVT_PERF => Self::Perf,
            registers::LVT_LINT0 => Self::Lint0,
            registers::LVT_LINT1 => Self::Lint1,
            registers::LVT_ERROR => Self::Error,
            _ => return None,
        })
    }

    /// The bits that a write may set (SDM figure 11-8).
    const fn writable(self) -> u32 {
        let common = 0xff | MASKED | READ_ONLY & 1 << 12;
        match self {
            Self::Timer => common | 0b11 << 17,
            Self::Error => common,
            Self::Cmci | Self::Thermal | Self::Perf => common | 0x700,
            Self::Lint0 | Self::Lint1 => common | 0x700 | 0b111 << 13,
        }
    }
}

/// The seven entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalVectors([u32; 7]);

impl LocalVectors {
    /// Everything masked, as after reset.
    pub const RESET: Self = Self([MASKED; 7]);

    /// The entry of `source`.
    #[must_use]
    pub const fn get(&self, source: LocalSource) -> u32 {
        self.0[source as usize]
    }

    /// Writes an entry; a disabled APIC keeps it masked. `None` (nothing written) if reserved bits are set.
    pub const fn set(&mut self, source: LocalSource, value: u32, enabled: bool) -> Option<()> {
        if value & !source.writable() != 0 {
            return None;
        }
        let forced = if enabled { 0 } else { MASKED };
        self.0[source as usize] = value & !READ_ONLY | forced;
        Some(())
    }

    /// Software disable: masks every entry.
    pub const fn mask_all(&mut self) {
        let mut n = 0;
        while n < self.0.len() {
            self.0[n] |= MASKED;
            n += 1;
        }
    }

    /// What an event of `source` asks for now. INIT and SMI are not given to domains this way.
    #[must_use]
    pub const fn signal(&self, source: LocalSource) -> Signal {
        let entry = self.get(source);
        if entry & MASKED != 0 {
            return Signal::Nothing;
        }
        let mode = match source {
            LocalSource::Timer | LocalSource::Error => Some(DeliveryMode::Fixed),
            _ => DeliveryMode::of_pin((entry >> 8) as u64),
        };
        match mode {
            Some(DeliveryMode::Fixed) => Signal::Vector(entry as u8),
            Some(DeliveryMode::Nmi) => Signal::Nmi,
            Some(DeliveryMode::ExtInt) => Signal::ExtInt,
            _ => Signal::Nothing,
        }
    }
}
