//! Intel's virtualization: VMCS, VM entry and exit, extended page tables (SDM vol. 3, chapters 24
//! to 31). The twin of [`crate::svm`].
//!
//! May depend on [`crate::cpu`], [`crate::memory`], [`crate::vcpu`], the list of dom0's intercepted
//! ports, and the EPT pointer of `paging`.
//!
//! Invariants: a VMCS field is touched only through [`vmcs::Current`], the proof that its VMCS is
//! the processor's current one; a VMCS is active on at most one CPU; host-state fields hold the
//! values of the CPU on which the VMCS was loaded last.
mod bitmaps;
mod caps;
mod control;
mod controls;
mod cpu;
mod enable;
mod entry;
mod event;
mod exits;
mod host;
mod instruction;
mod msrs;
mod state;
mod swapped;
mod translation;
mod vmcs;

pub use cpu::Cpu;
pub use enable::{enable, is_there, probe};
