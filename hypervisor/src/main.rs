//! Hypercube: a minimal type-1 separation hypervisor for x86-64.
//!
//! Multiboot2 enters at [`boot`]; after that every CPU lives in [`sched::run`], alternating
//! between guests and the handling of their exits. See ARCHITECTURE.md.
//!
//! House rules of this crate: hypervisor code runs with interrupts off, but for the one window in
//! [`sched`]; locks ([`cpu::lock`]) have levels; nothing from a guest, dom0 or firmware may panic.
#![no_std]
#![no_main]

extern crate alloc;

mod boot;
mod cpu;
mod dom0;
mod domain;
mod guest;
mod log;
mod memory;
mod sched;
mod service;
mod svm;
mod vcpu;
mod vmx;
