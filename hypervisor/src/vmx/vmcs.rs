//! The VMCS of one vCPU: its frame, where it is active, and the only way to its fields.
//!
//! Invariant: a VMCS that is not the current one of the CPU that runs it is inactive and written
//! back (VMCLEAR), so that any CPU may load it.

use super::{caps, instruction};
use crate::cpu::{self, MAX_CPUS};
use crate::memory::{direct, frames};
use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicU64, Ordering};
use paging::Mfn;

/// Physical address of each CPU's current VMCS; 0 for none.
static CURRENT: [AtomicU64; MAX_CPUS as usize] = [const { AtomicU64::new(0) }; MAX_CPUS as usize];

/// A VMCS in a frame of its own.
pub struct Vmcs {
    frame: Mfn,
    launched: Cell<bool>,
}

/// Proof that a VMCS is current on this CPU, and access to its fields.
pub struct Current<'a>(PhantomData<(&'a Vmcs, *const ())>);

impl Vmcs {
    /// A clear VMCS; `None` without memory. Needs VMX operation on this CPU.
    pub fn new() -> Option<Self> {
        let frame = frames::allocate_hypervisor()?;
        direct::write32(frame.0 << 12, caps::revision());
        let vmcs = Self { frame, launched: Cell::new(false) };
        vmcs.clear();
        Some(vmcs)
    }

    fn physical(&self) -> u64 {
        self.frame.0 << 12
    }

    fn clear(&self) {
        // SAFETY: the frame is this VMCS's alone.
        if unsafe { instruction::vmclear(self.physical()) }.is_err() {
            crate::log::error!("VMCLEAR of {:#x} failed", self.physical());
        }
        self.launched.set(false);
    }

    /// Makes this the current VMCS of this CPU. The one before is unloaded by its owner.
    pub fn load(&self) {
        make_current(self.physical());
    }

    /// Writes the VMCS back; this CPU has no current one then.
    pub fn unload(&self) {
        self.clear();
        slot().store(0, Ordering::Relaxed);
    }

    /// True once VMLAUNCH succeeded since the VMCS was cleared last.
    pub fn launched(&self) -> bool {
        self.launched.get()
    }

    /// Remembers that VMLAUNCH succeeded.
    pub fn set_launched(&self) {
        self.launched.set(true);
    }

    /// Runs `work` with the VMCS current; one that is not is loaded for the time being.
    pub fn with<R>(&self, work: impl FnOnce(&Current<'_>) -> R) -> R {
        let before = slot().load(Ordering::Relaxed);
        if before == self.physical() {
            return work(&Current(PhantomData));
        }
        make_current(self.physical());
        let result = work(&Current(PhantomData));
        self.unload();
        if before != 0 {
            make_current(before);
        }
        result
    }
}

impl Drop for Vmcs {
    fn drop(&mut self) {
        self.clear();
        let _ = slot().compare_exchange(self.physical(), 0, Ordering::Relaxed, Ordering::Relaxed);
        frames::free_own(self.frame);
    }
}

fn slot() -> &'static AtomicU64 {
    &CURRENT[cpu::index() as usize]
}

fn make_current(physical: u64) {
    // SAFETY: a frame that a `Vmcs` owns, inactive elsewhere by the invariant above.
    if unsafe { instruction::vmptrld(physical) }.is_err() {
        crate::log::error!("VMPTRLD of {physical:#x} failed");
    }
    slot().store(physical, Ordering::Relaxed);
}

impl Current<'_> {
    /// A field's value; 0 for one that this processor does not have.
    pub fn read(&self, field: u32) -> u64 {
        instruction::vmread(field).unwrap_or(0)
    }

    /// Writes a field. Callers are the modules of this back end, which write guest state freely (it
    /// is confined by the nested table) and host state in [`super::host`] and [`super::entry`] only.
    pub fn write(&self, field: u32, value: u64) {
        // SAFETY: as above; addresses in control fields are frames and bitmaps of the hypervisor.
        if unsafe { instruction::vmwrite(field, value) }.is_err() {
            crate::log::error!("VMWRITE of {value:#x} to field {field:#x} failed");
        }
    }
}
