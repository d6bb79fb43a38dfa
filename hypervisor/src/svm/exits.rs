//! Exit codes of SVM (APM vol. 2, appendix C) in the words of [`Exit`].

use super::vmcb::{Vmcb, field};
use crate::vcpu::{Event, Exit, MsrAccess, NestedFault, PortAccess};

/// The exit was dealt with by the back end; the caller looks at physical interrupts and goes on.
pub const NOTHING: Exit = Exit::Interrupt { vector: None };

/// The exception of an exit that goes back to the guest. DR6 and DR7 are already as its handler is to
/// see them (APM vol. 2, 15.12.2); the error code of #AC is always 0.
pub fn exception(vmcb: &Vmcb) -> Option<Event> {
    match vmcb.get(field::EXIT_CODE) {
        0x41 => Some(Event::Exception(1, None)),
        0x51 => Some(Event::Exception(17, Some(0))),
        _ => None,
    }
}

/// The event whose delivery the exit cut short, for the next entry; else 0. INT n (type 4), INT3 and INTO
/// are executed again instead: the guest is still at the instruction.
pub fn cut_short(vmcb: &Vmcb) -> u64 {
    let event = vmcb.get(field::EXIT_INT_INFO);
    let (valid, kind, vector) = (event >> 31 & 1 == 1, event >> 8 & 7, event & 0xff);
    let instruction = kind == 4 || kind == 3 && matches!(vector, 3 | 4);
    if valid && !instruction { event } else { 0 }
}

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
        0x6f => Exit::CounterRead,
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
