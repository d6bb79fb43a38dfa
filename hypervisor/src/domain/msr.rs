//! What a domain may do with model-specific registers. Anything not named here raises #GP.

use super::{Context, Domain, Vcpu};
use crate::cpu::register::{self, msr};
use crate::cpu::{cpuid, time};
use alloc::sync::Arc;
use apic::{Delivery, Effect, Ipi};

/// Why an access is not done.
pub enum Fault {
    /// It raises #GP(0).
    Protection,
    /// The guest's page of this number must come in first; then the instruction runs again.
    Absent(u64),
}

const KVM_WALL_CLOCK: u32 = 0x4b56_4d00;
const KVM_SYSTEM_TIME: u32 = 0x4b56_4d01;
const KVM_WALL_CLOCK_OLD: u32 = 0x11;
const KVM_SYSTEM_TIME_OLD: u32 = 0x12;

const EFER_LMA: u64 = 1 << 10;
const EFER_LME: u64 = 1 << 8;

/// The KVM clock of a vCPU: its MSR.
#[derive(Clone, Copy, Debug, Default)]
pub struct KvmClock {
    /// Address of the structure, with bit 0: enabled.
    pub value: u64,
}

/// RDMSR.
pub fn read(vcpu: &Vcpu, domain: &Domain, context: &mut Context, register: u32) -> Result<u64, Fault> {
    if let Some(value) = context.backend.msr(register) {
        return Ok(value);
    }
    match register {
        0x800..0x840 => vcpu.lapic.lock().read(register, time::tsc()).map_err(|_| Fault::Protection),
        msr::TSC => Ok(time::tsc()),
        msr::TSC_DEADLINE => Ok(vcpu.lapic.lock().deadline_read(time::tsc())),
        msr::APIC_BASE => Ok(vcpu.lapic.lock().base()),
        msr::EFER => Ok(context.backend.mode().efer),
        msr::TSC_AUX => Ok(context.tsc_aux),
        // Locked, without VMX; fast strings on.
        msr::FEATURE_CONTROL => Ok(1),
        msr::MISC_ENABLE => Ok(1),
        KVM_SYSTEM_TIME | KVM_SYSTEM_TIME_OLD => Ok(context.clock.value),
        KVM_WALL_CLOCK | KVM_WALL_CLOCK_OLD => Ok(0),
        // Platform id, microcode revision, MCA capabilities, MTRR capabilities (none), SYSCFG,
        // HWCR, patch level of AMD, interrupt pending message: nothing there.
        0x17 | 0x8b | 0x179 | 0xc001_0010 | 0xc001_0015 | 0xc001_0055 | 0xc001_001f => Ok(0),
        // LFENCE serializes.
        0xc001_1029 => Ok(2),
        0xfe | 0x200..=0x21f | 0x250 | 0x258 | 0x259 | 0x268..=0x26f | 0x2ff
            if domain.is_dom0() && has_mtrr(register) =>
        {
            Ok(register::read_msr(register))
        }
        _ => Err(Fault::Protection),
    }
}

/// WRMSR.
pub fn write(vcpu: &Arc<Vcpu>, domain: &Domain, context: &mut Context, register: u32, value: u64) -> Result<(), Fault> {
    if context.backend.msr(register).is_some() {
        return context.backend.set_msr(register, value).then_some(()).ok_or(Fault::Protection);
    }
    match register {
        0x800..0x840 => {
            let now = time::tsc();
            let effect = vcpu.lapic.lock().write(register, value, now).map_err(|_| Fault::Protection)?;
            let cr8 = vcpu.lapic.lock().tpr() >> 4;
            if cr8 != context.cr8 {
                context.cr8 = cr8;
                context.backend.set_cr8(cr8);
            }
            apply(vcpu, domain, effect);
            Ok(())
        }
        msr::TSC_DEADLINE => {
            vcpu.lapic.lock().deadline_write(value, time::tsc());
            Ok(())
        }
        msr::APIC_BASE => vcpu.lapic.lock().set_base(value).map_err(|_| Fault::Protection),
        msr::EFER => write_efer(context, value),
        msr::TSC_AUX if value >> 32 == 0 => {
            context.tsc_aux = value;
            // SAFETY: the hypervisor itself does not use RDTSCP; CPUID showed the guest the feature.
            unsafe { register::write_msr(msr::TSC_AUX, value) };
            Ok(())
        }
        KVM_SYSTEM_TIME | KVM_SYSTEM_TIME_OLD => {
            super::clock::start(domain, value).map_err(Fault::Absent)?;
            context.clock.value = value;
            Ok(())
        }
        KVM_WALL_CLOCK | KVM_WALL_CLOCK_OLD => super::clock::wall(domain, value).map_err(Fault::Absent),
        // The TSC is shared and not adjustable; microcode, HWCR, DE_CFG, MISC_ENABLE, MTRRs: no effect.
        msr::TSC | 0x79 | 0x8b | 0xc001_0015 | 0xc001_1029 | msr::MISC_ENABLE => Ok(()),
        0x200..=0x21f | 0x250 | 0x258 | 0x259 | 0x268..=0x26f | 0x2ff if domain.is_dom0() => Ok(()),
        _ => Err(Fault::Protection),
    }
}

/// What a write to the local APIC asks for.
fn apply(vcpu: &Arc<Vcpu>, domain: &Domain, effect: Effect) {
    match effect {
        Effect::Eoi { vector, was_level } => match domain.guest() {
            None => crate::dom0::end_of_interrupt(vector, was_level),
            Some(guest) if was_level => crate::guest::end_of_interrupt(domain, guest, vector),
            Some(_) => {}
        },
        Effect::SendIpi(Ipi { mode, vector, destination }) => {
            let sender = vcpu.lapic.lock().id();
            super::deliver(domain, Some(sender), &Delivery { mode, vector, destination, level: false });
        }
        Effect::None | Effect::TimerChanged | Effect::SelfIpi => {}
    }
}

/// EFER: SCE, LME, NXE and FFXSR as the processor has them; LME not while paging is on (APM vol. 2, 3.1.7).
fn write_efer(context: &mut Context, value: u64) -> Result<(), Fault> {
    let features = cpuid::read(0x8000_0001, 0).edx;
    let mut allowed = 1 | EFER_LME | EFER_LMA;
    if features >> 20 & 1 == 1 {
        allowed |= 1 << 11;
    }
    if features >> 25 & 1 == 1 {
        allowed |= 1 << 14;
    }
    let mode = context.backend.mode();
    let paging = mode.cr0 >> 31 & 1 == 1;
    if value & !allowed != 0 || paging && (value ^ mode.efer) & EFER_LME != 0 {
        return Err(Fault::Protection);
    }
    context.backend.set_efer(value & !EFER_LMA | mode.efer & EFER_LMA);
    Ok(())
}

/// True if the processor has the MTRR.
fn has_mtrr(register: u32) -> bool {
    if cpuid::read(1, 0).edx >> 12 & 1 == 0 {
        return false;
    }
    let pairs = register::read_msr(0xfe) as u32 & 0xff;
    !(0x200..=0x21f).contains(&register) || register < 0x200 + 2 * pairs
}
