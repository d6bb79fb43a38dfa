//! Host state: what the processor loads at every exit (SDM vol. 3, 28.5).
//!
//! An exit sets the limits of GDTR and IDTR to 0xffff. Nothing of ours uses a selector or vector
//! beyond the tables, so they stay that way.

use super::vmcs::Current;
use crate::cpu::register::{self, msr};
use crate::cpu::{gdt, this};
use x86::dtables::{DescriptorTablePointer, sgdt, sidt};
use x86::vmx::vmcs::host as field;

/// Writes the state of the calling CPU; RSP and RIP are [`super::entry`]'s.
pub fn write(vmcs: &Current<'_>) {
    for (selector, value) in [
        (field::CS_SELECTOR, gdt::CODE),
        (field::SS_SELECTOR, gdt::DATA),
        (field::DS_SELECTOR, gdt::DATA),
        (field::ES_SELECTOR, gdt::DATA),
        (field::FS_SELECTOR, 0),
        (field::GS_SELECTOR, 0),
        (field::TR_SELECTOR, gdt::TASK),
    ] {
        vmcs.write(selector, value.into());
    }
    let mut gdtr = DescriptorTablePointer::<u64>::default();
    let mut idtr = DescriptorTablePointer::<u64>::default();
    // SAFETY: both instructions only store the registers into the operands.
    unsafe {
        sgdt(&mut gdtr);
        sidt(&mut idtr);
    }
    vmcs.write(field::GDTR_BASE, gdtr.base.addr() as u64);
    vmcs.write(field::IDTR_BASE, idtr.base.addr() as u64);
    vmcs.write(field::TR_BASE, this().tss.as_ptr().addr() as u64);
    vmcs.write(field::FS_BASE, 0);
    vmcs.write(field::GS_BASE, register::read_msr(msr::GS_BASE));
    vmcs.write(field::CR0, register::cr0());
    vmcs.write(field::CR3, register::cr3());
    vmcs.write(field::CR4, register::cr4());
    vmcs.write(field::IA32_EFER_FULL, register::read_msr(msr::EFER));
    vmcs.write(field::IA32_PAT_FULL, register::read_msr(msr::PAT));
    vmcs.write(field::IA32_SYSENTER_CS, 0);
    vmcs.write(field::IA32_SYSENTER_ESP, 0);
    vmcs.write(field::IA32_SYSENTER_EIP, 0);
}
