//! Physical device interrupts: to dom0, with the vectors that dom0 programmed.
//!
//! dom0's vCPU on a CPU has that CPU's APIC identifier, so a message finds its vCPU by arriving.
//! An edge is acknowledged at once. A level stays in service at the real controller until dom0
//! ends it: the controller would send it again otherwise. A vCPU may end a lower vector while a higher
//! one waits for it: see [`apic::held`].

use super::{io_apic, space};
use crate::cpu::lock::{Level, Lock};
use crate::cpu::{self, MAX_CPUS, lapic};
use alloc::sync::Arc;
use apic::Held;

/// Vectors in service at each CPU's real local APIC, level-triggered.
static IN_SERVICE: [Lock<Held>; MAX_CPUS as usize] =
    [const { Lock::new(Level::LocalApic, Held::EMPTY) }; MAX_CPUS as usize];

/// A vector that is none of ours arrived on this CPU.
pub fn device_interrupt(vector: u8) {
    if vector >= lapic::FIRST_RESERVED {
        lapic::eoi();
        crate::log::warn_limited!("a device sent vector {vector:#x}, which is not dom0's to use: dropped");
        return;
    }
    let level = lapic::is_level(vector);
    let target = space::domain()
        .and_then(|domain| domain.vcpus().iter().find(|vcpu| vcpu.pin == Some(cpu::index())).map(Arc::clone));
    let Some(vcpu) = target else {
        crate::log::warn_limited!("interrupt vector {vector:#x} on a CPU without a vCPU of dom0");
        lapic::eoi();
        return;
    };
    if level {
        IN_SERVICE[cpu::index() as usize].lock().begin(vector);
    } else {
        lapic::eoi();
    }
    vcpu.interrupt(vector, level);
}

/// dom0 ended the service of a vector, on the CPU where it arrived (its vCPUs do not move).
pub fn end_of_interrupt(vector: u8, was_level: bool) {
    if !was_level {
        return;
    }
    let writes = IN_SERVICE[cpu::index() as usize].lock().end(vector);
    (0..writes).for_each(|_| lapic::eoi());
    io_apic::end_of_interrupt(vector);
}
