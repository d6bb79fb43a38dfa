//! What the processor's VMX offers (SDM vol. 3, appendix A).

use crate::cpu::cpuid;
use crate::cpu::register::{self, msr};
use x86::msr as number;

/// FEATURE_CONTROL: locked, and VMX allowed outside SMX.
pub const LOCKED: u64 = 1;
/// See [`LOCKED`].
pub const ALLOWED: u64 = 1 << 2;

/// IA32_VMX_BASIC bit 55: the "true" capability registers exist.
const TRUE_CONTROLS: u64 = 1 << 55;
/// IA32_VMX_MISC bit 5: an exit stores EFER.LMA in the entry controls. Guests that switch modes on
/// their own need it.
const STORES_LMA: u64 = 1 << 5;

/// A demand on IA32_VMX_EPT_VPID_CAP and the sentence for a processor that does not meet it.
const EPT: [(u64, &str); 5] = [
    (1 << 6 | 1 << 14, "the processor's EPT has no write-back tables of four levels"),
    (1 << 16, "the processor's EPT has no 2 MiB pages"),
    (1 << 21, "the processor's EPT has no accessed and dirty flags (a Haswell or newer has them)"),
    (1 << 20 | 1 << 25, "the processor cannot invalidate the EPT translations of one context"),
    (1 << 32 | 1 << 41, "the processor cannot invalidate the translations of one VPID"),
];

/// True if CPUID reports VMX.
pub fn has_vmx() -> bool {
    cpuid::max_basic() >= 1 && cpuid::read(1, 0).ecx >> 5 & 1 == 1
}

/// True unless the firmware locked VMX off.
pub fn firmware_allows() -> bool {
    register::read_msr(msr::FEATURE_CONTROL) & (LOCKED | ALLOWED) != LOCKED
}

/// Checks what has no control bit of its own; the controls come next ([`super::controls`]).
pub fn check_basic() -> Result<(), &'static str> {
    if register::read_msr(number::IA32_VMX_BASIC) & TRUE_CONTROLS == 0 {
        return Err("the processor's VMX has no \"true\" control capabilities; it is too old");
    }
    Ok(())
}

/// Checks the EPT, VPID and unrestricted-guest details; call when the controls are known to exist.
pub fn check_paging() -> Result<(), &'static str> {
    let caps = register::read_msr(number::IA32_VMX_EPT_VPID_CAP);
    for (bits, sentence) in EPT {
        if caps & bits != bits {
            return Err(sentence);
        }
    }
    if register::read_msr(number::IA32_VMX_MISC) & STORES_LMA == 0 {
        return Err("the processor's VM exits do not record the guest's mode");
    }
    Ok(())
}

/// The VMCS revision that this processor writes at the start of its structures.
pub fn revision() -> u32 {
    register::read_msr(number::IA32_VMX_BASIC) as u32 & 0x7fff_ffff
}

/// CR0 with the bits that VMX operation fixes.
pub fn fix_cr0(value: u64) -> u64 {
    (value | register::read_msr(number::IA32_VMX_CR0_FIXED0)) & register::read_msr(number::IA32_VMX_CR0_FIXED1)
}

/// CR4 with the bits that VMX operation fixes (VMXE among them).
pub fn fix_cr4(value: u64) -> u64 {
    (value | register::read_msr(number::IA32_VMX_CR4_FIXED0)) & register::read_msr(number::IA32_VMX_CR4_FIXED1)
}

/// Settings of a control field that the capability register `register` permits: what is demanded,
/// what is wished for and allowed, and what cannot be turned off. `None` if a demand is not met.
pub fn settle(register: u32, demanded: u32, wished: u32) -> Option<u32> {
    let value = register::read_msr(register);
    let (must, may) = (value as u32, (value >> 32) as u32);
    (demanded & !may == 0).then_some(demanded | wished & may | must)
}
