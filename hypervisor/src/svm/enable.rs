//! Whether this machine has what SVM needs, and turning it on.

use crate::cpu::register::{self, msr};
use crate::cpu::{self, cpuid};
use crate::memory::{direct, frames};
use core::sync::atomic::{AtomicU64, Ordering};

/// Physical addresses of each CPU's host area (VMSAVE/VMLOAD of the hypervisor's own state).
static HOST: [AtomicU64; cpu::MAX_CPUS as usize] = [const { AtomicU64::new(0) }; cpu::MAX_CPUS as usize];

/// True if the processor has SVM at all.
pub fn is_there() -> bool {
    cpuid::max_extended() >= 0x8000_000a && cpuid::read(0x8000_0001, 0).ecx >> 2 & 1 == 1
}

/// Checks the features; the error is for the console.
pub fn probe() -> Result<(), &'static str> {
    if register::read_msr(msr::VM_CR) >> 4 & 1 == 1 {
        return Err("SVM is disabled by the firmware (enable \"SVM\" or \"virtualization\" in its setup)");
    }
    if cpuid::read(0x8000_000a, 0).edx & 1 == 0 {
        return Err("the processor's SVM has no nested paging");
    }
    Ok(())
}

/// Turns SVM on, on this CPU. The boot CPU comes first.
pub fn enable() -> Result<(), &'static str> {
    if cpu::index() == 0 {
        super::maps::build();
        super::asid::set_count(cpuid::read(0x8000_000a, 0).ebx);
    }
    let host = frames::allocate_hypervisor().ok_or("no memory for a CPU's host state")?;
    // One frame for both: what VMRUN saves and what VMSAVE does are disjoint parts of one layout (Linux' KVM
    // relies on the same), and each frame on the way costs an exit a translation.
    // SAFETY: sets EFER.SVME, and names a frame of our own for the processor's use.
    unsafe {
        register::write_msr(msr::EFER, register::read_msr(msr::EFER) | 1 << 12);
        register::write_msr(msr::VM_HSAVE_PA, host.0 << 12);
        core::arch::asm!("vmsave rax", in("rax") host.0 << 12, options(nostack));
    }
    debug_assert!(direct::contains(direct::BASE + (host.0 << 12)));
    HOST[cpu::index() as usize].store(host.0 << 12, Ordering::Relaxed);
    Ok(())
}

/// This CPU's host area.
pub fn host() -> u64 {
    HOST[cpu::index() as usize].load(Ordering::Relaxed)
}
