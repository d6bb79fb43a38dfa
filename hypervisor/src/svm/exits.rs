//! Exit codes of SVM (APM vol. 2, appendix C) in the words of [`Exit`].

use super::vmcb::{Vmcb, field};
use crate::vcpu::{Exit, MsrAccess, NestedFault, PortAccess};

/// The exit that the VMCB describes.
pub fn decode(vmcb: &Vmcb) -> Exit {
    let info1 = vmcb.get(field::EXIT_INFO1);
    let info2 = vmcb.get(field::EXIT_INFO2);
    let length = length(vmcb);
    match vmcb.get(field::EXIT_CODE) {
        0x18 => Exit::WriteCr8,
        0x60 => Exit::Interrupt { vector: None },
        0x61 => Exit::Nmi,
        0x64 => Exit::InterruptWindow,
        0x72 => Exit::Cpuid { length },
        0x76 | 0x89 => Exit::CacheFlush { length },
        0x78 => Exit::Halt { length },
        0x7b => Exit::Port { access: port(info1), next: info2 },
        0x7c => Exit::Msr { access: if info1 == 0 { MsrAccess::Read } else { MsrAccess::Write }, length },
        0x7f => Exit::TripleFault,
        0x81 => Exit::Hypercall { length },
        0x80 | 0x82..=0x86 | 0x8a..=0x8c | 0x7a => Exit::Undefined,
        0x8d => Exit::Xsetbv { length },
        0x400 => Exit::NestedFault(NestedFault {
            address: info2,
            write: info1 & 2 != 0,
            fetch: info1 & 16 != 0,
            present: info1 & 1 != 0,
        }),
        u64::MAX => Exit::BadState(u64::MAX),
        code => Exit::Unknown(code),
    }
}

/// Instruction length where the processor saves the next RIP; else 0.
fn length(vmcb: &Vmcb) -> u8 {
    let next = vmcb.get(field::NEXT_RIP);
    let length = next.wrapping_sub(vmcb.get(field::RIP));
    if next != 0 && (1..=15).contains(&length) { length as u8 } else { 0 }
}

/// EXITINFO1 of an I/O intercept (APM vol. 2, 15.10.2).
fn port(info: u64) -> PortAccess {
    PortAccess {
        port: (info >> 16) as u16,
        width: (info >> 4 & 7) as u8,
        write: info & 1 == 0,
        string: info & 4 != 0,
        repeat: info & 8 != 0,
    }
}
