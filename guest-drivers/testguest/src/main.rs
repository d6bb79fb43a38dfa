//! The test guests: one small kernel with many cases, each the thing itself for one mechanism of the
//! hypervisor. It boots by PVH, takes the case's name as the first word of the command line, prints
//! `PASS name` or `FAIL name: why` and ends the domain through the exit port (0: pass).
//!
//! May depend on: `core`, `abi`, drivers. Invariant: memory is identity-mapped and there is no heap;
//! whatever a case does to its own machine, the hypervisor and other domains must not care.
//!
//! Words after the name are `key=value` options, told at the cases. Common ones, for trying cases on
//! other machines than ours: `virtio=ADDRESS`, `stride=BYTES` (device registers), `tsc=HERTZ`.
#![no_std]
#![no_main]

mod boot;
mod cases;
mod clock;
mod cpu;
mod device;
mod memory;
mod report;
