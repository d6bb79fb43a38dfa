//! Control registers: which bits are ours, and the exits of those who touch them (SDM vol. 3, 25.6.6).
//!
//! A guest sees what it wrote in our bits through the read shadows. A write that would change them
//! exits; we put the wish into the shadow and let the guest execute the instruction again, which
//! then changes the other bits with all of the processor's own checks (mode switches among them).

use super::event::{self, Injection};
use super::vmcs::Current;
use crate::vcpu::Registers;
use x86::vmx::vmcs::{control, guest, ro};

const NE: u64 = 1 << 5;
const VMXE: u64 = 1 << 13;

/// NE is fixed by VMX operation; NW and CD would outlive the guest's time on the CPU.
pub const CR0_OURS: u64 = NE | 1 << 29 | 1 << 30;
/// All but VME, PVI, TSD, DE, PSE, PAE, MCE, PGE, PCE, OSFXSR, OSXMMEXCPT, UMIP, FSGSBASE, PCIDE,
/// OSXSAVE, SMEP, SMAP: the rest belongs to features that guests are not offered.
pub const CR4_OURS: u64 = !(0xfff | 1 << 16 | 1 << 17 | 1 << 18 | 1 << 20 | 1 << 21);

const GENERAL_PROTECTION: u8 = 13;

/// Puts the guest's control registers into the VMCS, with what VMX operation demands.
pub fn write(vmcs: &Current<'_>, cr0: u64, cr3: u64, cr4: u64) {
    vmcs.write(guest::CR0, cr0 | NE);
    vmcs.write(control::CR0_READ_SHADOW, cr0);
    vmcs.write(guest::CR3, cr3);
    vmcs.write(guest::CR4, cr4 | VMXE);
    vmcs.write(control::CR4_READ_SHADOW, cr4);
}

/// CR0 as the guest sees it.
pub fn cr0(vmcs: &Current<'_>) -> u64 {
    vmcs.read(guest::CR0) & !CR0_OURS | vmcs.read(control::CR0_READ_SHADOW) & CR0_OURS
}

/// CR4 as the guest sees it.
pub fn cr4(vmcs: &Current<'_>) -> u64 {
    vmcs.read(guest::CR4) & !CR4_OURS | vmcs.read(control::CR4_READ_SHADOW) & CR4_OURS
}

/// What an access came to.
pub enum Access {
    /// Done, or to be executed again by the guest.
    Done,
    /// Refused with an exception.
    Fault(Injection),
    /// Not an access that should exit.
    Unknown,
}

/// Handles an exit for a control-register access. `cr8` is the guest's task priority, which the
/// real one must never follow: it would hold back the hypervisor's interrupts.
pub fn access(vmcs: &Current<'_>, registers: &mut Registers, cr8: &mut u64) -> Access {
    let qualification = vmcs.read(ro::EXIT_QUALIFICATION);
    let (number, kind) = (qualification & 0xf, qualification >> 4 & 3);
    let Some(operand) = registers.gpr.get_mut((qualification >> 8 & 0xf) as usize) else { return Access::Unknown };
    match (number, kind) {
        (0, 0) => {
            let shadow = vmcs.read(control::CR0_READ_SHADOW);
            vmcs.write(control::CR0_READ_SHADOW, shadow & !CR0_OURS | *operand & CR0_OURS);
            return Access::Done;
        }
        (4, 0) => return Access::Fault(Injection::exception(GENERAL_PROTECTION, 0)),
        (8, 0) if *operand > 15 => return Access::Fault(Injection::exception(GENERAL_PROTECTION, 0)),
        (8, 0) => *cr8 = *operand,
        (8, 1) => *operand = *cr8,
        _ => return Access::Unknown,
    }
    registers.rip = registers.rip.wrapping_add(vmcs.read(ro::VMEXIT_INSTRUCTION_LEN));
    event::complete(vmcs, registers.rflags);
    Access::Done
}
