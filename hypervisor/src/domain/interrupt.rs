//! Interrupts on their way into a vCPU.

use super::view::View;
use super::{Context, Domain, Vcpu};
use crate::vcpu::{Event, Start};
use alloc::sync::Arc;
use apic::{Delivery, DeliveryMode};
use core::sync::atomic::Ordering;

/// Delivers an interrupt message inside a domain: an IO-APIC's, or an IPI of the local APIC `sender`.
pub fn deliver(domain: &Domain, sender: Option<u32>, message: &Delivery) {
    for target in domain.vcpus() {
        let id = target.lapic.lock().id();
        if !message.destination.reaches(sender, id) {
            continue;
        }
        match message.mode {
            DeliveryMode::Fixed | DeliveryMode::LowestPriority => target.interrupt(message.vector, message.level),
            DeliveryMode::Init => {
                // A start-up interrupt that came before means nothing any more.
                target.startup.store(0, Ordering::Release);
                target.init.store(true, Ordering::Release);
                target.notify();
            }
            DeliveryMode::Startup => {
                target.startup.store(1 << 8 | u32::from(message.vector), Ordering::Release);
                target.notify();
            }
            // NMIs have no user among stock kernels here but backtraces; SMI and ExtInt do not exist.
            DeliveryMode::Nmi | DeliveryMode::Smi | DeliveryMode::ExtInt => {}
        }
        if message.mode == DeliveryMode::LowestPriority {
            return;
        }
    }
}

/// In the shadow of STI a HLT comes before any interrupt: kernels rely on it, as they look for work before the
/// STI. Where the shadow was lost, the HLT counts as executed, and the interrupt as what ended it.
fn step_over_halt(vcpu: &Vcpu, context: &mut Context) {
    const HLT: u8 = 0xf4;
    let Some(domain) = vcpu.domain() else { return };
    let Ok(view) = View::new(context) else { return };
    let mut bytes = [0; 15];
    if context.backend.mode().cpl == 0 && view.fetch(&domain, &mut bytes).is_ok_and(|len| len > 0) && bytes[0] == HLT {
        context.registers.rip = context.registers.rip.wrapping_add(1);
        context.backend.end_shadow();
    }
}

/// What may come next by itself.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    /// TSC at which the vCPU's timer expires.
    pub timer: Option<u64>,
}

/// Takes INIT and start-up interrupts; false while the vCPU waits for one.
#[inline(never)]
fn start_up(vcpu: &Vcpu, context: &mut Context) -> bool {
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
    true
}

/// Before an entry: takes INIT and start-up interrupts, expires the timer, injects what is due.
/// `None` if the vCPU has nothing to run (halted or waiting for its start-up interrupt). `now` is the TSC.
pub fn prepare(vcpu: &Arc<Vcpu>, context: &mut Context, now: u64) -> Option<Due> {
    if (vcpu.init.load(Ordering::Acquire) || context.waits_for_startup) && !start_up(vcpu, context) {
        return None;
    }
    let mut lapic = vcpu.lapic.lock();
    lapic.advance(now);
    let due = Due { timer: lapic.next_deadline() };
    let Some(vector) = lapic.pending() else {
        drop(lapic);
        context.want_window(false);
        return (!context.halted).then_some(due);
    };
    drop(lapic);
    take(vcpu, context, vector);
    Some(due)
}

/// Injects an interrupt, or asks for the window that it can be injected in.
#[inline(never)]
fn take(vcpu: &Vcpu, context: &mut Context, vector: u8) {
    context.halted = false;
    if !context.backend.can_interrupt(&context.registers) {
        context.want_window(true);
        return;
    }
    let more = {
        let mut lapic = vcpu.lapic.lock();
        if !lapic.accept(vector) {
            return;
        }
        lapic.pending().is_some()
    };
    if context.backend.lost_shadow() {
        step_over_halt(vcpu, context);
    }
    context.backend.inject(Event::Interrupt(vector));
    context.want_window(more);
}
