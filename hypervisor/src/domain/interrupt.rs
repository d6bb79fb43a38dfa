//! Interrupts on their way into a vCPU.

use super::{Context, Domain, Vcpu};
use crate::cpu::time;
use crate::vcpu::{Event, Start};
use alloc::sync::Arc;
use apic::{DeliveryMode, Ipi};
use core::sync::atomic::Ordering;

/// Delivers an interprocessor interrupt of `sender` inside its domain.
pub fn deliver_ipi(domain: &Domain, sender: u32, ipi: Ipi) {
    for target in domain.vcpus() {
        let id = target.lapic.lock().id();
        if !ipi.destination.reaches(Some(sender), id) {
            continue;
        }
        match ipi.mode {
            DeliveryMode::Fixed | DeliveryMode::LowestPriority => target.interrupt(ipi.vector, false),
            DeliveryMode::Init => {
                target.init.store(true, Ordering::Release);
                target.notify();
            }
            DeliveryMode::Startup => {
                target.startup.store(1 << 8 | u32::from(ipi.vector), Ordering::Release);
                target.notify();
            }
            // NMIs have no user among stock kernels here but backtraces; SMI and ExtInt do not exist.
            DeliveryMode::Nmi | DeliveryMode::Smi | DeliveryMode::ExtInt => {}
        }
        if ipi.mode == DeliveryMode::LowestPriority {
            return;
        }
    }
}

/// Before an entry: takes INIT and start-up interrupts, expires the timer, injects what is due.
/// False if the vCPU has nothing to run (halted or waiting for its start-up interrupt).
pub fn prepare(vcpu: &Arc<Vcpu>, context: &mut Context) -> bool {
    if vcpu.init.swap(false, Ordering::AcqRel) {
        context.waits_for_startup = true;
        context.halted = false;
        vcpu.lapic.lock().init();
    }
    if context.waits_for_startup {
        let startup = vcpu.startup.swap(0, Ordering::AcqRel);
        if startup == 0 {
            return false;
        }
        context.waits_for_startup = false;
        context.registers = crate::vcpu::Registers { rflags: 2, ..Default::default() };
        context.registers.gpr[crate::vcpu::Gpr::RDX] = u64::from(crate::cpu::cpuid::read(1, 0).eax);
        context.backend.start(Start::Startup { page: startup as u8 });
    }
    let mut lapic = vcpu.lapic.lock();
    lapic.advance(time::tsc());
    let Some(vector) = lapic.pending() else {
        drop(lapic);
        context.backend.want_window(false);
        return !context.halted;
    };
    context.halted = false;
    if context.backend.can_interrupt(&context.registers) {
        lapic.accept(vector);
        let more = lapic.pending().is_some();
        drop(lapic);
        context.backend.inject(Event::Interrupt(vector));
        context.backend.want_window(more);
    } else {
        drop(lapic);
        context.backend.want_window(true);
    }
    true
}
