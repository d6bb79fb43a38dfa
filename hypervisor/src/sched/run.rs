//! The loop of a physical CPU.

use super::queue;
use crate::cpu::{self, fpu, lapic, lock, register, time};
use crate::domain::{self, Context, Domain, Next, Vcpu};
use alloc::sync::Arc;
use core::arch::asm;
use core::sync::atomic::Ordering;

/// Runs vCPUs for ever.
pub fn run() -> ! {
    loop {
        window();
        let next = queue::expire(time::tsc());
        match queue::pick() {
            Some(vcpu) => run_vcpu(&vcpu),
            None => idle(next),
        }
    }
}

/// The only place where interrupts are on. Handlers find no lock held.
fn window() {
    assert!(lock::none_held(), "interrupt window with a lock held");
    // SAFETY: handlers preserve all registers and use this stack below RSP only; no red zone.
    unsafe { asm!("sti", "nop", "cli", options(nomem)) };
}

/// Waits for an interrupt, at most until the next deadline.
fn idle(deadline: Option<u64>) {
    arm(deadline);
    if cpu::this().reschedule.swap(false, Ordering::AcqRel) {
        return;
    }
    // SAFETY: STI takes effect after HLT began, so an interrupt that is pending ends it.
    unsafe { asm!("sti", "hlt", "cli", options(nomem)) };
}

/// Sets this CPU's timer for a TSC value, or stops it.
fn arm(deadline: Option<u64>) {
    let count = deadline.map_or(0, |deadline| time::ticks_to_lapic(deadline.saturating_sub(time::tsc())));
    lapic::arm(count);
}

/// Runs one vCPU until it blocks, its slice ends with somebody waiting, or its domain ends.
fn run_vcpu(vcpu: &Arc<Vcpu>) {
    let (Some(domain), Some(mut context)) = (vcpu.domain(), vcpu.context.lock().take()) else {
        queue::remove(vcpu);
        return;
    };
    enter(&mut context);
    let start = time::tsc();
    let mut slice_end = start + queue::slice();
    let mut armed = 0;
    let mut block = false;
    loop {
        if domain.has_ended() {
            break;
        }
        if domain.is_held() {
            vcpu.notified.store(false, Ordering::Release);
            // Looked at again after the flag is down: a resume in between has set it.
            block = domain.is_held();
            break;
        }
        vcpu.notified.store(false, Ordering::Release);
        if !domain::prepare(vcpu, &mut context) {
            block = true;
            break;
        }
        cpu::this().reschedule.store(false, Ordering::Release);
        let now = time::tsc();
        if now >= slice_end {
            if queue::better_than(vcpu, now - start) {
                break;
            }
            slice_end = now + queue::slice();
        }
        armed = rearm(vcpu, slice_end, armed);
        // A notification between `prepare` and here has sent this CPU an interrupt or, if it came
        // from this CPU, set the flag.
        if vcpu.notified.load(Ordering::Acquire) {
            continue;
        }
        let next = enter_guest(vcpu, &domain, &mut context);
        match next {
            Next::Ended => break,
            Next::Window => {
                window();
                // The timer may have fired, and a tick early: then the deadline is not yet over.
                armed = 0;
                queue::expire(time::tsc());
                if cpu::this().reschedule.load(Ordering::Acquire) && queue::better_than(vcpu, time::tsc() - start) {
                    break;
                }
            }
            Next::Continue => {}
        }
    }
    leave(&mut context);
    let ran = time::tsc() - start;
    domain.cpu_time.fetch_add(time::ticks_to_ns(ran), Ordering::Relaxed);
    let deadline = vcpu.lapic.lock().next_deadline();
    *vcpu.context.lock() = Some(context);
    if domain.has_ended() {
        queue::remove(vcpu);
        match domain.guest() {
            None => crate::dom0::ended(),
            Some(_) => crate::guest::domain_ended(&domain),
        }
        crate::service::raise_interrupt();
    } else {
        queue::put(vcpu, ran, block, deadline);
    }
}

/// Programs the timer for the slice's end or the vCPU's own timer, if that changed.
fn rearm(vcpu: &Vcpu, slice_end: u64, armed: u64) -> u64 {
    let deadline = vcpu.lapic.lock().next_deadline().map_or(slice_end, |own| own.min(slice_end));
    if deadline != armed {
        arm(Some(deadline));
    }
    deadline
}

/// One entry and the handling of the exit.
fn enter_guest(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context) -> Next {
    let this = cpu::this();
    this.entries.fetch_add(1, Ordering::SeqCst);
    this.in_guest.store(true, Ordering::SeqCst);
    // After the store: a shoot-down either sees this CPU in the guest, or we see its flag.
    let flush = vcpu.flush.swap(false, Ordering::SeqCst);
    let exit = context.backend.run(&mut context.registers, flush);
    this.in_guest.store(false, Ordering::SeqCst);
    let next = domain::handle(vcpu, domain, context, exit);
    crate::service::raise_interrupt();
    next
}

/// Loads what a vCPU has on a CPU beyond its backend's state.
fn enter(context: &mut Context) {
    context.backend.load();
    fpu::restore(&context.fpu);
    if fpu::supported() != 0 {
        // SAFETY: the value was checked when the guest set it.
        unsafe { register::set_xcr0(context.xcr0) };
    }
    // SAFETY: TSC_AUX is the guest's; the hypervisor does not use RDTSCP.
    unsafe { register::write_msr(register::msr::TSC_AUX, context.tsc_aux) };
}

/// Saves it.
fn leave(context: &mut Context) {
    if fpu::supported() != 0 {
        // Read back, not remembered: QEMU's TCG does not intercept XSETBV.
        context.xcr0 = register::xcr0();
    }
    fpu::save(&mut context.fpu);
    context.backend.unload();
}

/// Every physical interrupt, from the window or from an acknowledging exit.
pub fn interrupt(vector: u8) {
    match vector {
        lapic::TIMER | lapic::KICK => {
            lapic::eoi();
            cpu::this().reschedule.store(true, Ordering::Release);
        }
        lapic::SPURIOUS => lapic::spurious(),
        _ => crate::dom0::device_interrupt(vector),
    }
}
