//! Physical device interrupts: to dom0, with the vectors that dom0 programmed.
//!
//! dom0's vCPU on a CPU has that CPU's APIC identifier, so a message finds its vCPU by arriving.
//! An edge is acknowledged at once. A level stays in service at the real controller until dom0
//! ends it: the controller would send it again otherwise.

use crate::cpu::{self, lapic};
use alloc::sync::Arc;

/// A vector that is none of ours arrived on this CPU.
pub fn device_interrupt(vector: u8) {
    let level = lapic::is_level(vector);
    let target = super::space::domain().and_then(|domain| {
        domain.vcpus().iter().find(|vcpu| vcpu.pin == Some(cpu::index())).map(Arc::clone)
    });
    let Some(vcpu) = target else {
        crate::log::warn!("interrupt vector {vector:#x} on a CPU without a vCPU of dom0");
        lapic::eoi();
        return;
    };
    if !level {
        lapic::eoi();
    }
    vcpu.interrupt(vector, level);
}

/// dom0 ended the service of a vector, on the CPU where it arrived.
pub fn end_of_interrupt(_vector: u8, was_level: bool) {
    if was_level {
        lapic::eoi();
    }
}
