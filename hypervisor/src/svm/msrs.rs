//! MSRs that the back end keeps for the guest: where each lives, and which values hardware takes.

use super::vmcb::{field as vmcb, segment};
use crate::cpu::register::msr;

/// Where the VMCB keeps an MSR.
pub fn field(register: u32) -> Option<u64> {
    Some(match register {
        msr::STAR => vmcb::STAR,
        msr::LSTAR => vmcb::LSTAR,
        msr::CSTAR => vmcb::CSTAR,
        msr::SFMASK => vmcb::SFMASK,
        msr::KERNEL_GS_BASE => vmcb::KERNEL_GS_BASE,
        msr::SYSENTER_CS => vmcb::SYSENTER_CS,
        msr::SYSENTER_ESP => vmcb::SYSENTER_ESP,
        msr::SYSENTER_EIP => vmcb::SYSENTER_EIP,
        msr::PAT => vmcb::PAT,
        msr::FS_BASE => segment::FS + 8,
        msr::GS_BASE => segment::GS + 8,
        _ => return None,
    })
}

/// True if hardware takes this value for one of the MSRs kept here. Canonical addresses are checked by VMRUN and VMLOAD.
pub fn accepts(register: u32, value: u64) -> bool {
    register != msr::PAT || value.to_le_bytes().iter().all(|kind| matches!(kind, 0 | 1 | 4..=7))
}
