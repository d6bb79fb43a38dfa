//! Basic exit reasons of VMX (SDM vol. 3, appendix C) in the words of [`Exit`].

use super::event;
use super::vmcs::Current;
use crate::vcpu::{Exit, MsrAccess, NestedFault, PortAccess};
use x86::vmx::vmcs::{guest, ro};

/// Exit reasons that the vCPU handles by itself.
pub const EXCEPTION_OR_NMI: u64 = 0;
/// See [`EXCEPTION_OR_NMI`].
pub const CONTROL_REGISTER: u64 = 28;
/// Bit of the reason: the entry failed in its checks of guest state.
pub const ENTRY_FAILED: u64 = 1 << 31;

/// The exit that the VMCS describes, for the basic reason.
pub fn decode(vmcs: &Current<'_>, reason: u64) -> Exit {
    let length = vmcs.read(ro::VMEXIT_INSTRUCTION_LEN) as u8;
    match reason {
        1 => Exit::Interrupt { vector: Some(vmcs.read(ro::VMEXIT_INTERRUPTION_INFO) as u8) },
        // The preemption timer.
        52 => Exit::Interrupt { vector: None },
        2 => Exit::TripleFault,
        7 => Exit::InterruptWindow,
        10 => Exit::Cpuid { length },
        12 => Exit::Halt { length },
        13 | 54 => Exit::CacheFlush { length },
        18 => Exit::Hypercall { length },
        15 => Exit::CounterRead,
        // GETSEC, VMX instructions, MWAIT, MONITOR, INVEPT, INVVPID, VMFUNC.
        11 | 19..=27 | 36 | 39 | 50 | 53 | 59 => Exit::Undefined,
        30 => port(vmcs, length),
        31 => Exit::Msr { access: MsrAccess::Read, length },
        32 => Exit::Msr { access: MsrAccess::Write, length },
        48 => violation(vmcs),
        55 => Exit::Xsetbv { length },
        other => Exit::Unknown(other),
    }
}

/// Table 28-5 of SDM vol. 3.
fn port(vmcs: &Current<'_>, length: u8) -> Exit {
    let qualification = vmcs.read(ro::EXIT_QUALIFICATION);
    let access = PortAccess {
        port: (qualification >> 16) as u16,
        width: (qualification & 7) as u8 + 1,
        write: qualification & 8 == 0,
        string: qualification & 16 != 0,
        repeat: qualification & 32 != 0,
    };
    Exit::Port { access, next: vmcs.read(guest::RIP).wrapping_add(length.into()) }
}

/// Table 28-7 of SDM vol. 3. A walk of the guest's page tables counts as a write, because the
/// processor sets flags in them.
fn violation(vmcs: &Current<'_>) -> Exit {
    const VALID: u64 = 1 << 31;
    let qualification = vmcs.read(ro::EXIT_QUALIFICATION);
    if qualification >> 12 & 1 == 1 && vmcs.read(ro::IDT_VECTORING_INFO) & VALID == 0 {
        event::block_nmi(vmcs);
    }
    Exit::NestedFault(NestedFault {
        address: vmcs.read(ro::GUEST_PHYSICAL_ADDR_FULL),
        write: qualification & 2 != 0,
        fetch: qualification & 4 != 0,
        present: qualification & 0b11_1000 != 0,
    })
}
