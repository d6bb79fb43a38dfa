//! Numbers of the x2APIC's registers (SDM table 11-6) and their writable bits.
//!
//! An MSR write with any other bit set is refused with #GP.

/// First MSR of the x2APIC's space.
pub const FIRST: u32 = 0x800;
/// Last MSR of the space that architecture assigns.
pub const LAST: u32 = 0x83f;

/// Local APIC identifier, read only.
pub const ID: u32 = 0x802;
/// Version, read only.
pub const VERSION: u32 = 0x803;
/// Task priority.
pub const TPR: u32 = 0x808;
/// Processor priority, read only.
pub const PPR: u32 = 0x80a;
/// End of interrupt, write only, 0.
pub const EOI: u32 = 0x80b;
/// Logical identifier, read only.
pub const LDR: u32 = 0x80d;
/// Spurious vector and software enable.
pub const SVR: u32 = 0x80f;
/// First of eight in-service registers, read only.
pub const ISR: u32 = 0x810;
/// First of eight trigger-mode registers, read only.
pub const TMR: u32 = 0x818;
/// First of eight request registers, read only.
pub const IRR: u32 = 0x820;
/// Error status; a write (0) shows what gathered since the last.
pub const ESR: u32 = 0x828;
/// Local vector table: corrected machine checks.
pub const LVT_CMCI: u32 = 0x82f;
/// Interrupt command, 64 bits.
pub const ICR: u32 = 0x830;
/// Local vector table: timer.
pub const LVT_TIMER: u32 = 0x832;
/// Local vector table: thermal sensor.
pub const LVT_THERMAL: u32 = 0x833;
/// Local vector table: performance counters.
pub const LVT_PERF: u32 = 0x834;
/// Local vector table: LINT0.
pub const LVT_LINT0: u32 = 0x835;
/// Local vector table: LINT1.
pub const LVT_LINT1: u32 = 0x836;
/// Local vector table: error.
pub const LVT_ERROR: u32 = 0x837;
/// Timer: initial count.
pub const INITIAL_COUNT: u32 = 0x838;
/// Timer: current count, read only.
pub const CURRENT_COUNT: u32 = 0x839;
/// Timer: divide configuration.
pub const DIVIDE: u32 = 0x83e;
/// Self IPI, write only.
pub const SELF_IPI: u32 = 0x83f;

/// `IA32_TSC_DEADLINE`.
pub const TSC_DEADLINE: u32 = 0x6e0;
/// `IA32_APIC_BASE`.
pub const APIC_BASE: u32 = 0x1b;

/// Version 0x14, highest local vector entry 6 (seven entries), no EOI-broadcast suppression.
pub const VERSION_VALUE: u64 = 6 << 16 | 0x14;

/// Spurious register: software enable.
pub const SVR_ENABLE: u32 = 1 << 8;
/// Spurious register: vector, enable, focus checking (accepted, without effect).
pub const SVR_WRITABLE: u32 = 0x3ff;
/// Spurious register after reset.
pub const SVR_RESET: u32 = 0xff;
/// Divide configuration: bits 0, 1 and 3.
pub const DIVIDE_WRITABLE: u32 = 0b1011;
