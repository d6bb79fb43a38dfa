//! What CPUID tells a domain: the real processor without what the hypervisor keeps for itself or
//! cannot virtualize, with KVM's and our own leaves added.

use super::{Context, Vcpu};
use crate::cpu::cpuid::{self, Leaf};
use crate::cpu::fpu;
use crate::vcpu::Gpr;
use abi::platform;

/// Leaf 1, ECX: DTES64, MONITOR, DS-CPL, VMX, SMX, EST, TM2, PDCM, OSXSAVE are taken away.
const LEAF1_ECX_HIDDEN: u32 = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 15 | 1 << 27;
/// Leaf 1, ECX: x2APIC, TSC deadline, hypervisor are there.
const LEAF1_ECX_ADDED: u32 = 1 << 21 | 1 << 24 | 1 << 31;
/// Leaf 1, EDX: MCE, MCA, DS, ACPI, TM, PBE.
const LEAF1_EDX_HIDDEN: u32 = 1 << 7 | 1 << 14 | 1 << 21 | 1 << 22 | 1 << 29 | 1 << 31;
/// Leaf 7, EBX: TSC_ADJUST, SGX, HLE, RTM, MPX, PT, RDT monitoring and allocation.
const LEAF7_EBX_HIDDEN: u32 = 1 << 1 | 1 << 2 | 1 << 4 | 1 << 11 | 1 << 12 | 1 << 14 | 1 << 15 | 1 << 25;
/// Leaf 7, ECX: PKU, OSPKE, WAITPKG, shadow stacks, TME, LA57, key locker, PKS.
const LEAF7_ECX_HIDDEN: u32 = 1 << 3 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 13 | 1 << 16 | 1 << 23 | 1 << 31;
/// Leaf 7, EDX: user interrupts, PCONFIG, LBR, IBT, AMX, speculation controls.
const LEAF7_EDX_HIDDEN: u32 = 1 << 5 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 22 | 1 << 24 | 1 << 25 | 0x3f << 26;
/// Leaf 0x80000001, ECX: SVM, extended APIC space, IBS, SKINIT, WDT, LWP, topology, perf counters.
const EXT1_ECX_HIDDEN: u32 =
    1 << 2 | 1 << 3 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15 | 1 << 22 | 1 << 23 | 1 << 24 | 1 << 28 | 1 << 29;
/// KVM features: clock (both MSR sets), no I/O delay, stable clock.
const KVM_FEATURES: u32 = 1 | 1 << 1 | 1 << 3 | 1 << 24;

/// Executes CPUID for the guest.
pub fn execute(vcpu: &Vcpu, context: &mut Context) {
    let leaf = context.registers.gpr[Gpr::RAX] as u32;
    let subleaf = context.registers.gpr[Gpr::RCX] as u32;
    let answer = answer(vcpu, context, leaf, subleaf);
    let gpr = &mut context.registers.gpr;
    gpr[Gpr::RAX] = answer.eax.into();
    gpr[Gpr::RBX] = answer.ebx.into();
    gpr[Gpr::RCX] = answer.ecx.into();
    gpr[Gpr::RDX] = answer.edx.into();
}

fn answer(vcpu: &Vcpu, context: &Context, leaf: u32, subleaf: u32) -> Leaf {
    match leaf {
        0x4000_0000..0x4000_0100 => kvm(leaf),
        0x4000_0100..0x4000_0200 => own(leaf),
        0x8000_0000.. => extended(leaf),
        _ if leaf > cpuid::max_basic() => Leaf::default(),
        _ => basic(vcpu, context, leaf, subleaf),
    }
}

fn basic(vcpu: &Vcpu, context: &Context, leaf: u32, subleaf: u32) -> Leaf {
    let mut answer = cpuid::read(leaf, subleaf);
    let apic_id = vcpu.lapic.lock().id();
    match leaf {
        1 => {
            answer.ebx = answer.ebx & 0x0000_ffff | 1 << 16 | apic_id << 24;
            answer.edx &= !(1 << 28);
            answer.ecx = answer.ecx & !LEAF1_ECX_HIDDEN | LEAF1_ECX_ADDED;
            if context.backend.mode().cr4 >> 18 & 1 == 1 {
                answer.ecx |= 1 << 27;
            }
            if fpu::supported() == 0 {
                answer.ecx &= !(1 << 26 | 1 << 28);
            }
            answer.edx &= !LEAF1_EDX_HIDDEN;
        }
        4 => answer.eax &= 0x0000_3fff,
        // Thermal and power: only "the APIC timer always runs".
        6 => answer = Leaf { eax: 1 << 2, ..Leaf::default() },
        7 if subleaf == 0 => {
            answer.eax = 0;
            answer.ebx &= !LEAF7_EBX_HIDDEN;
            if fpu::supported() & 0b1110_0000 == 0 {
                answer.ebx &= !(1 << 16 | 1 << 17 | 1 << 21 | 0xf << 26 | 3 << 30);
            }
            answer.ecx &= !LEAF7_ECX_HIDDEN;
            answer.edx &= !LEAF7_EDX_HIDDEN;
        }
        0xb => {
            let level = match subleaf {
                0 => Leaf { eax: 0, ebx: 1, ecx: 1 << 8, edx: apic_id },
                1 => Leaf {
                    eax: 8,
                    ebx: vcpu.domain().map_or(1, |d| d.vcpus().len() as u32),
                    ecx: 1 | 2 << 8,
                    edx: apic_id,
                },
                _ => Leaf { ecx: subleaf & 0xff, edx: apic_id, ..Leaf::default() },
            };
            answer = level;
        }
        0xd => answer = extended_state(answer, subleaf),
        0 | 2 => {}
        _ => answer = Leaf::default(),
    }
    if leaf == 0 {
        answer.eax = answer.eax.min(0xd);
    }
    answer
}

/// Leaf 13. The size for the current XCR0 is the processor's answer: the guest's XCR0 is loaded.
fn extended_state(mut answer: Leaf, subleaf: u32) -> Leaf {
    let supported = fpu::supported();
    match subleaf {
        0 => {
            answer.eax = supported as u32;
            answer.edx = (supported >> 32) as u32;
        }
        // XSAVEOPT and XSAVEC, and the size of what XSAVEC writes: Linux gives XSAVE up where that is wrong. No XSAVES,
        // no IA32_XSS.
        1 => answer = Leaf { eax: answer.eax & 0b11, ebx: answer.ebx, ..Leaf::default() },
        n if n < 64 && supported >> n & 1 == 1 => {}
        _ => answer = Leaf::default(),
    }
    answer
}

fn extended(leaf: u32) -> Leaf {
    if leaf > cpuid::max_extended() || leaf > 0x8000_0008 {
        return Leaf::default();
    }
    let mut answer = cpuid::read(leaf, 0);
    match leaf {
        0x8000_0000 => answer.eax = answer.eax.min(0x8000_0008),
        0x8000_0001 => answer.ecx &= !EXT1_ECX_HIDDEN,
        0x8000_0007 => answer = Leaf { edx: answer.edx & 1 << 8, ..Leaf::default() },
        0x8000_0008 => answer = Leaf { eax: answer.eax, ..Leaf::default() },
        _ => {}
    }
    answer
}

fn kvm(leaf: u32) -> Leaf {
    match leaf - platform::CPUID_KVM {
        0 => signature(platform::CPUID_KVM + 1, b"KVMKVMKVM\0\0\0"),
        1 => Leaf { eax: KVM_FEATURES, ..Leaf::default() },
        _ => Leaf::default(),
    }
}

fn own(leaf: u32) -> Leaf {
    match leaf - platform::CPUID_OWN {
        0 => signature(platform::CPUID_OWN, platform::CPUID_OWN_SIGNATURE),
        _ => Leaf::default(),
    }
}

fn signature(highest: u32, text: &[u8; 12]) -> Leaf {
    let word = |at: usize| u32::from_le_bytes([text[at], text[at + 1], text[at + 2], text[at + 3]]);
    Leaf { eax: highest, ebx: word(0), ecx: word(4), edx: word(8) }
}
