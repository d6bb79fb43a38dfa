//! What happens at each exit. Nothing here may panic on what a guest did.
//!
//! What is long is called, not inlined: each page of code between an exit and the next entry costs the
//! short exits a translation, and on QEMU a translation is the larger part of their cost.

use super::{Context, Domain, End, Reason, Vcpu, cpuid, length, msr};
use crate::cpu::{fpu, register};
use crate::vcpu::{Event, Exit, Gpr, MsrAccess, NestedFault, PortAccess};
use alloc::sync::Arc;
use core::sync::atomic::Ordering;

/// What the CPU does after an exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Enter again, unless the scheduler has something better.
    Continue,
    /// Take pending physical interrupts first.
    Window,
    /// Nothing until the page that it waits for has come, or an interrupt.
    Waiting,
    /// The vCPU's domain has ended.
    Ended,
}

/// Handles one exit.
pub fn handle(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, exit: Exit) -> Next {
    domain.exits[class(&exit)].fetch_add(1, Ordering::Relaxed);
    if context.registers.cr8 != context.cr8 {
        follow_cr8(vcpu, context);
    }
    match exit {
        Exit::Cpuid { length } => {
            cpuid::execute(vcpu, context);
            skip(domain, context, length, 2);
        }
        Exit::Msr { access, length } => return execute_msr(vcpu, domain, context, access, length),
        Exit::Port { access, next } => return execute_port(vcpu, domain, context, access, next),
        Exit::Halt { length } => {
            skip(domain, context, length, 1);
            context.halted = true;
        }
        Exit::Hypercall { length } => {
            let number = context.registers.gpr[Gpr::RAX];
            context.registers.gpr[Gpr::RAX] =
                if number == abi::platform::HYPERCALL_NOP { 0 } else { UNKNOWN_HYPERCALL };
            skip(domain, context, length, 3);
        }
        Exit::Xsetbv { length } => execute_xsetbv(domain, context, length),
        // Caches are the processor's business: guests have no incoherent devices.
        Exit::CacheFlush { length } => skip(domain, context, length, 2),
        Exit::WriteCr8 => write_cr8(vcpu, domain, context),
        Exit::CounterRead => context.backend.inject(GENERAL_PROTECTION),
        Exit::Undefined => context.backend.inject(Event::Exception(6, None)),
        Exit::NestedFault(fault) => return nested_fault(vcpu, domain, context, fault),
        Exit::Interrupt { vector } => {
            context.last = None;
            if let Some(vector) = vector {
                crate::sched::interrupt(vector);
            }
            return Next::Window;
        }
        Exit::Nmi => {
            crate::cpu::panic::stop_if_crashed();
            return Next::Window;
        }
        Exit::InterruptWindow => context.want_window(false),
        Exit::TripleFault => return end(domain, context, Reason::TripleFault, 0),
        Exit::BadState(code) => return end(domain, context, Reason::BadState, code),
        Exit::Unknown(code) => return end(domain, context, Reason::UnknownExit, code),
    }
    Next::Continue
}

/// The task priority has two names; the guest may have used CR8.
#[inline(never)]
fn follow_cr8(vcpu: &Vcpu, context: &mut Context) {
    context.cr8 = context.registers.cr8;
    vcpu.lapic.lock().set_tpr(context.cr8 << 4);
}

/// A write of CR8 that the processor only tells of.
#[inline(never)]
fn write_cr8(vcpu: &Vcpu, domain: &Domain, context: &mut Context) {
    let Some(what) = length::control_move(domain, context).filter(|what| what.write && what.control == 8) else {
        return;
    };
    let registers = emulate::Registers { gpr: context.registers.gpr, ..Default::default() };
    match u8::try_from(what.register.read(&registers)) {
        Ok(value @ 0..16) => {
            context.backend.set_cr8(value);
            context.registers.cr8 = value;
            follow_cr8(vcpu, context);
            skip(domain, context, what.length as u8, 4);
        }
        _ => context.backend.inject(GENERAL_PROTECTION),
    }
}

/// What KVM answers to an unknown hypercall: -ENOSYS.
const UNKNOWN_HYPERCALL: u64 = (-1000i64).cast_unsigned();

const GENERAL_PROTECTION: Event = Event::Exception(13, Some(0));

/// Ends the domain, with the processor's state in the log.
#[cold]
pub fn end(domain: &Domain, context: &Context, reason: Reason, detail: u64) -> Next {
    let mut text = heapless::String::<256>::new();
    context.backend.describe(&mut text);
    crate::log::warn!("domain {}: {text}", domain.id);
    domain.end(End { reason, detail });
    Next::Ended
}

/// Index of an exit in the counters, in the order of [`abi::domain::ExitCounters`].
pub fn class(exit: &Exit) -> usize {
    match exit {
        Exit::Cpuid { .. } => 0,
        Exit::Msr { .. } => 1,
        Exit::Port { .. } => 2,
        Exit::Halt { .. } => 3,
        Exit::Hypercall { .. } => 4,
        // Of guests: dom0's counters are told to nobody.
        Exit::NestedFault(fault) if crate::guest::is_device(fault.address) => 5,
        Exit::NestedFault(_) => 6,
        Exit::Interrupt { .. } | Exit::Nmi => 7,
        Exit::InterruptWindow => 8,
        _ => 9,
    }
}

/// Goes on after the instruction: `length` from the processor, or decoded where it does not say
/// (`plain`: without prefixes).
fn skip(domain: &Domain, context: &mut Context, length: u8, plain: u8) {
    let length = if length == 0 { length::of(domain, context, plain) } else { length };
    context.registers.rip = context.registers.rip.wrapping_add(length.into());
    context.backend.end_shadow();
}

#[inline(never)]
fn execute_port(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, access: PortAccess, next: u64) -> Next {
    match domain.guest() {
        Some(guest) if access.string => return crate::guest::string_port(vcpu, domain, guest, context, access),
        // String forms on dom0's intercepted ports have no user.
        None if access.string => context.backend.inject(GENERAL_PROTECTION),
        guest => {
            context.registers.rip = next;
            context.backend.end_shadow();
            match guest {
                None => crate::dom0::port(context, access),
                Some(guest) => return crate::guest::port(domain, guest, context, access),
            }
        }
    }
    Next::Continue
}

#[inline(never)]
fn nested_fault(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, fault: NestedFault) -> Next {
    match domain.guest() {
        None => crate::dom0::nested_fault(vcpu, domain, context, fault),
        Some(guest) => crate::guest::nested_fault(vcpu, domain, guest, context, fault),
    }
}

#[inline(never)]
fn execute_xsetbv(domain: &Domain, context: &mut Context, length: u8) {
    if set_xcr0(context) {
        skip(domain, context, length, 3);
    } else {
        context.backend.inject(GENERAL_PROTECTION);
    }
}

#[inline(never)]
fn execute_msr(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, access: MsrAccess, length: u8) -> Next {
    let register = context.registers.gpr[Gpr::RCX] as u32;
    let result = match access {
        MsrAccess::Read => msr::read(vcpu, domain, context, register).map(|value| context.registers.set_edx_eax(value)),
        MsrAccess::Write => {
            let value = context.registers.edx_eax();
            msr::write(vcpu, domain, context, register, value)
        }
    };
    match result {
        Ok(()) => skip(domain, context, length, 2),
        Err(msr::Fault::Absent(gfn)) => return crate::guest::bring_in(vcpu, domain, gfn),
        Err(msr::Fault::Protection) => {
            crate::log::debug!("domain {}: {access:?} of MSR {register:#x} refused", domain.id);
            context.backend.inject(GENERAL_PROTECTION);
        }
    }
    Next::Continue
}

/// XSETBV (SDM vol. 1, 13.3): true if the value is one that the processor takes.
fn set_xcr0(context: &mut Context) -> bool {
    let value = context.registers.edx_eax();
    let index = context.registers.gpr[Gpr::RCX] as u32;
    let avx512 = value & 0b1110_0000;
    let valid = index == 0
        && context.backend.mode().cpl == 0
        && value & !fpu::supported() == 0
        && value & 1 == 1
        && (value & 4 == 0 || value & 2 != 0)
        && (avx512 == 0 || avx512 == 0b1110_0000 && value & 4 != 0);
    if valid {
        context.xcr0 = value;
        // SAFETY: checked above to be a subset of what the processor supports, with x87 on; the
        // hypervisor uses no vector state.
        unsafe { register::set_xcr0(value) };
    }
    valid
}
