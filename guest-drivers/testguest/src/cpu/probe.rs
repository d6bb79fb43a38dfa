//! Instructions that may fault: the fault is the answer. For processor 0 only, interrupts off.

use super::interrupts::Frame;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

/// Where an expected fault continues; 0: none is expected.
static RECOVERY: AtomicU64 = AtomicU64::new(0);
/// The vector of the last expected fault, plus 1; 0: none.
static FAULT: AtomicU64 = AtomicU64::new(0);

/// #UD.
pub const INVALID_OPCODE: u8 = 6;
/// #GP.
pub const PROTECTION: u8 = 13;

/// Called for exceptions: true if this one was expected.
pub fn recover(frame: &mut Frame) -> bool {
    let to = RECOVERY.swap(0, Ordering::SeqCst);
    if to == 0 {
        return false;
    }
    FAULT.store(frame.vector + 1, Ordering::SeqCst);
    frame.rip = to;
    true
}

/// The fault since the last call, if any.
pub fn taken() -> Option<u8> {
    RECOVERY.store(0, Ordering::SeqCst);
    match FAULT.swap(0, Ordering::SeqCst) {
        0 => None,
        vector => Some((vector - 1) as u8),
    }
}

/// Address of the cell for [`probe`].
pub fn cell() -> *mut u64 {
    RECOVERY.as_ptr()
}

/// Runs one instruction with the given operands (as for `asm!`) and gives the vector of its fault, if any.
/// The instruction must not change what Rust relies on when it succeeds.
macro_rules! probe {
    ($instruction:literal $(, $($operands:tt)*)?) => {{
        // SAFETY: the recovery cell is set to the label behind the instruction; a fault continues there. The
        // instruction itself is the caller's: it must not change what Rust relies on when it succeeds.
        unsafe {
            core::arch::asm!(
                "lea r11, [rip + 77f]",
                "mov [r10], r11",
                $instruction,
                "77:",
                $($($operands)*,)?
                in("r10") $crate::cpu::probe::cell(),
                out("r11") _,
            );
        }
        $crate::cpu::probe::taken()
    }};
}

pub(crate) use probe;

/// The register's value, or the vector of the fault.
pub fn read_msr(register: u32) -> Result<u64, u8> {
    let (low, high): (u32, u32);
    match probe!("rdmsr", in("ecx") register, out("eax") low, out("edx") high) {
        None => Ok(u64::from(high) << 32 | u64::from(low)),
        Some(vector) => Err(vector),
    }
}

/// Writes the register, or gives the vector of the fault.
pub fn write_msr(register: u32, value: u64) -> Result<(), u8> {
    match probe!("wrmsr", in("ecx") register, in("eax") value as u32, in("edx") (value >> 32) as u32) {
        None => Ok(()),
        Some(vector) => Err(vector),
    }
}

/// Writes CR0; the vector of the fault, if any.
pub fn write_cr0(value: u64) -> Option<u8> {
    probe!("mov cr0, {}", in(reg) value)
}

/// Writes CR4; the vector of the fault, if any.
pub fn write_cr4(value: u64) -> Option<u8> {
    probe!("mov cr4, {}", in(reg) value)
}

/// CR0 and CR4.
pub fn control() -> (u64, u64) {
    let (cr0, cr4);
    // SAFETY: reads two registers.
    unsafe { asm!("mov {}, cr0", "mov {}, cr4", out(reg) cr0, out(reg) cr4, options(nostack, nomem)) }
    (cr0, cr4)
}
