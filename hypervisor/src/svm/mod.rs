//! AMD's virtualization: VMCB, VMRUN, nested paging (APM vol. 2, chapter 15). The twin of [`crate::vmx`].
mod asid;
mod cpu;
mod enable;
mod entry;
mod exits;
mod maps;
mod msrs;
mod state;
mod vmcb;

pub use cpu::Cpu;
pub use enable::{enable, is_there, probe};
