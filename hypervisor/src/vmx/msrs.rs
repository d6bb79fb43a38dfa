//! MSRs that the back end keeps for the guest: where each lives, and which values hardware takes.

use crate::cpu::register::msr;
use x86::vmx::vmcs::guest;

/// The VMCS field of an MSR that entries and exits swap.
pub fn field(register: u32) -> Option<u32> {
    Some(match register {
        msr::FS_BASE => guest::FS_BASE,
        msr::GS_BASE => guest::GS_BASE,
        msr::SYSENTER_CS => guest::IA32_SYSENTER_CS,
        msr::SYSENTER_ESP => guest::IA32_SYSENTER_ESP,
        msr::SYSENTER_EIP => guest::IA32_SYSENTER_EIP,
        msr::PAT => guest::IA32_PAT_FULL,
        _ => return None,
    })
}

/// True if the processor takes this value for one of the MSRs kept here.
pub fn accepts(register: u32, value: u64) -> bool {
    match register {
        msr::PAT => value.to_le_bytes().iter().all(|kind| matches!(kind, 0 | 1 | 4..=7)),
        msr::SFMASK | msr::SYSENTER_CS => value >> 32 == 0,
        msr::STAR => true,
        _ => is_canonical(value),
    }
}

/// Bits 63 to 47 are all alike: guests have 48-bit linear addresses.
fn is_canonical(address: u64) -> bool {
    matches!(address >> 47, 0 | 0x1_ffff)
}
