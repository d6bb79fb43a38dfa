//! Making every CPU forget a domain's translations.

use crate::cpu::{self, lapic};
use crate::domain::Domain;
use core::sync::atomic::Ordering;

/// Returns when no CPU can use a translation of `domain` that was removed before the call.
///
/// A CPU outside any guest flushes before its next entry into the domain, because the vCPU's flag
/// is set; one inside is sent an interrupt, which ends the guest's run. May be called with locks
/// held: the others need none to leave a guest.
pub fn shoot_down(domain: &Domain) {
    for vcpu in domain.vcpus() {
        vcpu.flush.store(true, Ordering::SeqCst);
    }
    let others = || (0..cpu::count()).filter(|&n| n != cpu::index()).filter_map(cpu::of);
    let mut seen = [None; cpu::MAX_CPUS as usize];
    for other in others() {
        let entries = other.entries.load(Ordering::SeqCst);
        if other.in_guest.load(Ordering::SeqCst) {
            seen[other.number() as usize] = Some(entries);
            lapic::send(other.apic_id.load(Ordering::Relaxed), lapic::KICK);
        }
    }
    // Who was not seen inside was not sent anything, and sees the flag when it enters.
    for other in others() {
        let Some(entries) = seen[other.number() as usize] else { continue };
        while other.in_guest.load(Ordering::SeqCst) && other.entries.load(Ordering::SeqCst) == entries {
            core::hint::spin_loop();
        }
    }
}
