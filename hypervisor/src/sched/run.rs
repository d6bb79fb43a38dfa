//! The loop of a physical CPU.

use super::queue::{self, Choice};
use super::timer::{self, Timer};
use crate::cpu::{self, fpu, lapic, lock, register, time};
use crate::domain::{self, Context, Domain, Next, Vcpu};
use alloc::sync::Arc;
use core::arch::asm;
use core::sync::atomic::Ordering;

/// Runs vCPUs for ever.
pub fn run() -> ! {
    loop {
        window();
        let choice = queue::pick();
        match &choice.vcpu {
            Some(vcpu) => run_vcpu(vcpu, &choice),
            None => idle(choice.next),
        }
    }
}

/// The only place where interrupts are on. Handlers find no lock held.
fn window() {
    assert!(lock::none_held(), "interrupt window with a lock held");
    // SAFETY: handlers preserve all registers and use this stack below RSP only; no red zone.
    unsafe { asm!("sti", "nop", "cli", options(nomem)) };
}

/// Longest sleep of a CPU. QEMU's TCG can lose the notice of an interrupt that arrives while the CPU enters a guest
/// (its word of requests is changed by two threads); the interrupt itself waits, and is seen at the next one.
const LONGEST_SLEEP_NS: u64 = 20_000_000;

/// Waits for an interrupt, at most until the next deadline.
fn idle(deadline: Option<u64>) {
    let longest = time::tsc() + time::ns_to_ticks(LONGEST_SLEEP_NS);
    timer::arm(Some(deadline.map_or(longest, |deadline| deadline.min(longest))));
    if cpu::this().reschedule.swap(false, Ordering::AcqRel) {
        return;
    }
    // SAFETY: STI takes effect after HLT began, so an interrupt that is pending ends it.
    unsafe { asm!("sti", "hlt", "cli", options(nomem)) };
}

/// Runs one vCPU until it blocks, another one should run, or its domain ends.
fn run_vcpu(vcpu: &Arc<Vcpu>, choice: &Choice) {
    let (Some(domain), Some(mut context)) = (vcpu.domain(), vcpu.context.lock().take()) else {
        queue::remove(vcpu);
        return;
    };
    enter(&mut context);
    let start = time::tsc();
    let left = stay(vcpu, &domain, &mut context, choice, start);
    leave(&mut context);
    domain.cpu_time.fetch_add(time::ticks_to_ns(time::tsc() - start), Ordering::Relaxed);
    let deadline = vcpu.lapic.lock().next_deadline().filter(|_| left == Leave::Asleep);
    *vcpu.context.lock() = Some(context);
    if domain.has_ended() {
        queue::remove(vcpu);
        match domain.guest() {
            None => crate::dom0::ended(),
            Some(_) => crate::guest::domain_ended(&domain),
        }
        crate::service::raise_interrupt();
    } else {
        queue::put(vcpu, left != Leave::Ready, deadline);
    }
}

/// Why a vCPU leaves its CPU.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Leave {
    /// Another one runs first, or the domain has ended.
    Ready,
    /// It has nothing to do until it is notified or its timer expires.
    Asleep,
    /// Its domain is paused: its timer counts on but does not wake it.
    Held,
}

/// Enters the vCPU again and again.
// SAFETY: the linker script puts the section with the rest of the code.
#[unsafe(link_section = ".text.exit")]
#[inline(never)]
fn stay(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, choice: &Choice, start: u64) -> Leave {
    let mut slice_end = start + choice.slice;
    let mut next = choice.next;
    let mut timer = Timer::UNKNOWN;
    let mut first = true;
    loop {
        // What is notified from here on either is seen below or keeps the vCPU from blocking. Who
        // ends or pauses a domain notifies its vCPUs.
        let notified = vcpu.notified.swap(false, Ordering::AcqRel);
        vcpu.waiting.clear();
        if notified || first {
            first = false;
            if domain.has_ended() {
                return Leave::Ready;
            }
            if domain.is_held() {
                return Leave::Held;
            }
        }
        let now = time::tsc();
        let due = domain::prepare(vcpu, context, now);
        if due.is_none() {
            // Its work goes on while it sleeps, in its own time: in turns, and no longer than its slice.
            if !crate::guest::go_on(domain) {
                return Leave::Asleep;
            }
            crate::service::raise_interrupt();
            window();
            timer = Timer::UNKNOWN;
        }
        let over = now >= slice_end;
        if cpu::this().reschedule.swap(false, Ordering::AcqRel) || over {
            let review = queue::review(vcpu, now, over);
            if review.yields {
                return Leave::Ready;
            }
            next = review.next;
            if over {
                slice_end = now + choice.slice;
            }
        }
        let Some(due) = due else { continue };
        timer.set([due.timer, next].into_iter().flatten().fold(slice_end, u64::min), now);
        // A notification between `prepare` and here has sent this CPU an interrupt or, if it came
        // from this CPU, set the flag.
        if vcpu.notified.load(Ordering::Acquire) {
            continue;
        }
        match enter_guest(vcpu, domain, context) {
            Next::Continue => {}
            Next::Window => {
                window();
                // It may have fired, and a tick early: then the deadline is not yet over.
                timer = Timer::UNKNOWN;
            }
            Next::Waiting => return Leave::Asleep,
            Next::Ended => return Leave::Ready,
        }
    }
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
    let went_on = crate::guest::go_on(domain);
    crate::service::raise_interrupt();
    // Between two turns of long work interrupts get in.
    if went_on && next == Next::Continue { Next::Window } else { next }
}

/// Loads what a vCPU has on a CPU beyond its backend's state.
fn enter(context: &mut Context) {
    context.last = None;
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
