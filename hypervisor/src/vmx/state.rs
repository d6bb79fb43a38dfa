//! Start states and segments of a guest's processor (SDM vol. 3, 25.4 and 27.3.1).

use super::control;
use super::vmcs::Current;
use crate::vcpu::Start;
use x86::vmx::vmcs::guest;

/// Order of the segments in the VMCS: field numbers go up by 2.
const ES: u32 = 0;
const CS: u32 = 1;
const SS: u32 = 2;
const DS: u32 = 3;
const FS: u32 = 4;
const GS: u32 = 5;
const LDTR: u32 = 6;
const TR: u32 = 7;

/// EFER: long mode wanted and active.
const LONG_MODE: u64 = 1 << 8 | 1 << 10;
/// PAT after reset.
const PAT: u64 = 0x0007_0406_0007_0406;

struct Segment {
    selector: u16,
    base: u64,
    limit: u32,
    /// Access rights in the form of SDM vol. 3, table 25-2.
    rights: u32,
}

fn set_segment(vmcs: &Current<'_>, index: u32, segment: &Segment) {
    vmcs.write(guest::ES_SELECTOR + 2 * index, segment.selector.into());
    vmcs.write(guest::ES_BASE + 2 * index, segment.base);
    vmcs.write(guest::ES_LIMIT + 2 * index, segment.limit.into());
    vmcs.write(guest::ES_ACCESS_RIGHTS + 2 * index, segment.rights.into());
}

/// Segments, control and debug registers for `start`; RIP, RSP and the general registers are the caller's.
pub fn set(vmcs: &Current<'_>, start: Start) {
    let (cr0, cr3, cr4, efer, code, data) = match start {
        Start::Long64 { cr3 } => (0x8000_0031, cr3, 0x20, LONG_MODE, flat(0x10, 0xa09b), flat(0x18, 0xc093)),
        Start::Protected32 => (0x31, 0, 0, 0, flat(0x08, 0xc09b), flat(0x10, 0xc093)),
        Start::Startup { page } => {
            let real =
                |selector: u16, rights| Segment { selector, base: u64::from(selector) << 4, limit: 0xffff, rights };
            (0x10, 0, 0, 0, real(u16::from(page) << 8, 0x009b), real(0, 0x0093))
        }
    };
    control::write(vmcs, cr0, cr3, cr4);
    set_efer(vmcs, efer);
    set_segment(vmcs, CS, &code);
    for index in [ES, SS, DS, FS, GS] {
        set_segment(vmcs, index, &data);
    }
    set_segment(vmcs, LDTR, &Segment { selector: 0, base: 0, limit: 0xffff, rights: 0x0082 });
    set_segment(vmcs, TR, &Segment { selector: 0, base: 0, limit: 0xffff, rights: 0x008b });
    for (field, value) in [
        (guest::GDTR_BASE, 0),
        (guest::GDTR_LIMIT, 0xffff),
        (guest::IDTR_BASE, 0),
        (guest::IDTR_LIMIT, 0xffff),
        (guest::DR7, 0x400),
        (guest::IA32_DEBUGCTL_FULL, 0),
        (guest::IA32_PAT_FULL, PAT),
        (guest::IA32_SYSENTER_CS, 0),
        (guest::IA32_SYSENTER_ESP, 0),
        (guest::IA32_SYSENTER_EIP, 0),
        (guest::INTERRUPTIBILITY_STATE, 0),
        (guest::ACTIVITY_STATE, 0),
        (guest::PENDING_DBG_EXCEPTIONS, 0),
        (guest::LINK_PTR_FULL, u64::MAX),
    ] {
        vmcs.write(field, value);
    }
}

fn flat(selector: u16, rights: u32) -> Segment {
    Segment { selector, base: 0, limit: u32::MAX, rights }
}

/// Sets EFER and the entry control that must agree with its LMA. After this, as guests run, the
/// processor keeps the two in step at every exit.
pub fn set_efer(vmcs: &Current<'_>, efer: u64) {
    use x86::vmx::vmcs::control::{EntryControls, VMENTRY_CONTROLS};
    const LMA: u64 = 1 << 10;
    let long = u64::from(EntryControls::IA32E_MODE_GUEST.bits());
    let controls = vmcs.read(VMENTRY_CONTROLS);
    vmcs.write(VMENTRY_CONTROLS, if efer & LMA != 0 { controls | long } else { controls & !long });
    vmcs.write(guest::IA32_EFER_FULL, efer);
}

/// Bases of es, cs, ss, ds, fs, gs.
pub fn bases(vmcs: &Current<'_>) -> [u64; 6] {
    [ES, CS, SS, DS, FS, GS].map(|index| vmcs.read(guest::ES_BASE + 2 * index))
}
