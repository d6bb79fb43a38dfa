//! Start states of a guest's processor.

use super::vmcb::{Vmcb, field, segment};
use crate::vcpu::Start;

const EFER_SVME: u64 = 1 << 12;

/// Segments, control and debug registers for `start`; RIP, RSP and the general registers are the caller's.
pub fn set(vmcb: &mut Vmcb, start: Start) {
    for offset in [segment::GDTR, segment::IDTR] {
        vmcb.set_segment(offset, 0, 0, 0xffff, 0);
    }
    vmcb.set_segment(segment::LDTR, 0, 0x082, 0xffff, 0);
    vmcb.set_segment(segment::TR, 0, 0x08b, 0xffff, 0);
    vmcb.set(field::DR6, 0xffff_0ff0);
    vmcb.set(field::DR7, 0x400);
    vmcb.set(field::PAT, 0x0007_0406_0007_0406);
    vmcb.set8(field::CPL, 0);
    let (cr0, cr3, cr4, efer, code, data) = match start {
        Start::Long64 { cr3 } => (0x8000_0031, cr3, 0x20, EFER_SVME | 0x500, (0x10, 0xa9b, 0), 0x18),
        Start::Protected32 => (0x31, 0, 0, EFER_SVME, (0x08, 0xc9b, 0), 0x10),
        Start::Startup { page } => {
            let selector = u16::from(page) << 8;
            (0x10, 0, 0, EFER_SVME, (selector, 0x09b, u64::from(page) << 12), 0)
        }
    };
    let flat = !matches!(start, Start::Startup { .. });
    let limit = if flat { u32::MAX } else { 0xffff };
    let attributes = if flat { 0xc93 } else { 0x093 };
    vmcb.set_segment(segment::CS, code.0, code.1, limit, code.2);
    for offset in [segment::DS, segment::ES, segment::SS, segment::FS, segment::GS] {
        vmcb.set_segment(offset, data, attributes, limit, 0);
    }
    vmcb.set(field::CR0, cr0);
    vmcb.set(field::CR3, cr3);
    vmcb.set(field::CR4, cr4);
    vmcb.set(field::EFER, efer);
    vmcb.set(field::EVENT_INJECTION, 0);
    vmcb.set(field::SHADOW, 0);
}

/// Removes what the guest must not see from EFER.
pub fn visible_efer(efer: u64) -> u64 {
    efer & !EFER_SVME
}

/// Adds what the processor demands.
pub fn real_efer(efer: u64) -> u64 {
    efer | EFER_SVME
}
