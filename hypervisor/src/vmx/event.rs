//! Events on their way into a guest (SDM vol. 3, 25.8.3 and 27.6): ours, and those whose delivery an
//! exit cut short.

use super::vmcs::Current;
use crate::vcpu::Event;
use x86::vmx::vmcs::{control, guest, ro};

const VALID: u32 = 1 << 31;
const HAS_ERROR: u32 = 1 << 11;
const TYPE: u32 = 7 << 8;
const EXTERNAL: u32 = 0 << 8;
/// Type of a non-maskable interrupt.
pub const NMI: u32 = 2 << 8;
/// Type of a hardware exception.
pub const HARDWARE: u32 = 3 << 8;

/// Bits of the interruptibility state.
pub const SHADOWS: u64 = 0b11;
const NMI_BLOCKED: u64 = 1 << 3;

/// What the entry fields get.
#[derive(Clone, Copy, Debug)]
pub struct Injection {
    info: u32,
    error: u32,
    /// Of the instruction behind a software interrupt or exception.
    length: u32,
}

impl Injection {
    /// A hardware exception. Whether it has an error code is the vector's business: the processor
    /// refuses any other combination.
    pub fn exception(vector: u8, error: u32) -> Self {
        let code = if matches!(vector, 8 | 10..=14 | 17) { HAS_ERROR } else { 0 };
        Self { info: VALID | HARDWARE | code | u32::from(vector), error, length: 0 }
    }

    /// An event delivered again from the format that exits report it in (the same but for bit 12).
    fn again(info: u64, error: u64, length: u64) -> Self {
        Self { info: info as u32 & (VALID | HAS_ERROR | TYPE | 0xff), error: error as u32, length: length as u32 }
    }

    /// The exception that caused the exit.
    pub fn of_exit(vmcs: &Current<'_>) -> Self {
        Self::again(
            vmcs.read(ro::VMEXIT_INTERRUPTION_INFO),
            vmcs.read(ro::VMEXIT_INTERRUPTION_ERR_CODE),
            vmcs.read(ro::VMEXIT_INSTRUCTION_LEN),
        )
    }

    /// The event whose delivery the exit cut short, if any; an NMI is unblocked to be taken again.
    pub fn cut_short(vmcs: &Current<'_>) -> Option<Self> {
        let info = vmcs.read(ro::IDT_VECTORING_INFO);
        if info as u32 & VALID == 0 {
            return None;
        }
        if info as u32 & TYPE == NMI {
            let state = vmcs.read(guest::INTERRUPTIBILITY_STATE);
            vmcs.write(guest::INTERRUPTIBILITY_STATE, state & !NMI_BLOCKED);
        }
        Some(Self::again(info, vmcs.read(ro::IDT_VECTORING_ERR_CODE), vmcs.read(ro::VMEXIT_INSTRUCTION_LEN)))
    }

    /// Writes the entry fields. In real mode no exception has an error code. An event ends a shadow.
    pub fn write(self, vmcs: &Current<'_>) {
        let protected = vmcs.read(guest::CR0) & 1 == 1;
        let info = if protected { self.info } else { self.info & !HAS_ERROR };
        vmcs.write(control::VMENTRY_INTERRUPTION_INFO_FIELD, info.into());
        vmcs.write(control::VMENTRY_EXCEPTION_ERR_CODE, self.error.into());
        vmcs.write(control::VMENTRY_INSTRUCTION_LEN, self.length.into());
        end_shadow(vmcs);
    }
}

impl From<Event> for Injection {
    fn from(event: Event) -> Self {
        match event {
            Event::Interrupt(vector) => Self { info: VALID | EXTERNAL | u32::from(vector), error: 0, length: 0 },
            Event::Exception(2, _) => Self { info: VALID | NMI | 2, error: 0, length: 0 },
            Event::Exception(vector, error) => Self::exception(vector, error.unwrap_or(0)),
        }
    }
}

/// Ends the shadow of STI and MOV SS.
pub fn end_shadow(vmcs: &Current<'_>) {
    let state = vmcs.read(guest::INTERRUPTIBILITY_STATE);
    if state & SHADOWS != 0 {
        vmcs.write(guest::INTERRUPTIBILITY_STATE, state & !SHADOWS);
    }
}

/// After an instruction was skipped or emulated: its shadow ends, and single-stepping traps as it
/// would have after the real one. `rflags` are the guest's.
pub fn complete(vmcs: &Current<'_>, rflags: u64) {
    const TRAP: u64 = 1 << 8;
    const SINGLE_STEP: u64 = 1 << 14;
    end_shadow(vmcs);
    if rflags & TRAP != 0 {
        vmcs.write(guest::PENDING_DBG_EXCEPTIONS, SINGLE_STEP);
    }
}

/// An IRET that faulted on its way had unblocked NMIs already: it is executed again, so block them
/// (SDM vol. 3, 28.2.3; bit 12 of the qualification of an EPT violation).
pub fn block_nmi(vmcs: &Current<'_>) {
    let state = vmcs.read(guest::INTERRUPTIBILITY_STATE);
    vmcs.write(guest::INTERRUPTIBILITY_STATE, state | NMI_BLOCKED);
}
