//! Whether this machine has what VMX needs, and turning it on.

use super::controls::Controls;
use super::{caps, instruction};
use crate::cpu::register::{self, msr};
use crate::memory::{direct, frames};

/// True if the processor has VMX at all.
pub fn is_there() -> bool {
    caps::has_vmx()
}

/// Checks the features; the error is for the console.
pub fn probe() -> Result<(), &'static str> {
    if !caps::firmware_allows() {
        return Err("VMX is disabled by the firmware (enable \"VT-x\" or \"virtualization\" in its setup)");
    }
    caps::check_basic()?;
    Controls::settle(true)?;
    Controls::settle(false)?;
    caps::check_paging()
}

/// Turns VMX operation on, on this CPU.
pub fn enable() -> Result<(), &'static str> {
    if !caps::firmware_allows() {
        return Err("VMX is disabled on this CPU by the firmware, though not on the first");
    }
    let control = register::read_msr(msr::FEATURE_CONTROL);
    let region = frames::allocate_hypervisor().ok_or("no memory for a CPU's VMXON region")?.0 << 12;
    direct::write32(region, caps::revision());
    // SAFETY: FEATURE_CONTROL is written only while unlocked; CR0 and CR4 gain the bits that VMX
    // operation demands, which the hypervisor has on but for VMXE; the region is a frame of our own.
    unsafe {
        if control & caps::LOCKED == 0 {
            register::write_msr(msr::FEATURE_CONTROL, control | caps::LOCKED | caps::ALLOWED);
        }
        register::set_cr0(caps::fix_cr0(register::cr0()));
        register::set_cr4(caps::fix_cr4(register::cr4()));
        instruction::vmxon(region).map_err(|_| "VMXON failed")
    }
}
