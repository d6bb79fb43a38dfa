//! Which back end this machine has, found once at boot.

use super::Backend;
use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, Ordering};

/// The two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Vendor {
    /// AMD: VMCB, NPT.
    Svm,
    /// Intel: VMCS, EPT.
    Vmx,
}

static IS_VMX: AtomicBool = AtomicBool::new(false);

/// Finds the back end; the error says what each lacks.
pub fn probe() -> Result<Vendor, &'static str> {
    let vendor = if crate::vmx::is_there() {
        crate::vmx::probe()?;
        Vendor::Vmx
    } else if crate::svm::is_there() {
        crate::svm::probe()?;
        Vendor::Svm
    } else {
        return Err("the processor has no hardware virtualization (neither VMX nor SVM)");
    };
    IS_VMX.store(vendor == Vendor::Vmx, Ordering::Relaxed);
    Ok(vendor)
}

/// The back end that [`probe`] found.
pub fn vendor() -> Vendor {
    if IS_VMX.load(Ordering::Relaxed) { Vendor::Vmx } else { Vendor::Svm }
}

/// Turns virtualization on, on this CPU.
pub fn enable() -> Result<(), &'static str> {
    match vendor() {
        Vendor::Svm => crate::svm::enable(),
        Vendor::Vmx => crate::vmx::enable(),
    }
}

/// A vCPU in the address space of the nested table at physical address `root`; `None` without memory.
pub fn new_cpu(root: u64, dom0: bool) -> Option<Box<dyn Backend>> {
    match vendor() {
        Vendor::Svm => crate::svm::Cpu::new(root, dom0),
        Vendor::Vmx => crate::vmx::Cpu::new(root, dom0),
    }
}
