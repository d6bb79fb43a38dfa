//! The ACPI tables of a guest: what stock Linux needs to find its processors, its IO-APIC, its
//! virtio devices and its power switches, and nothing else (ACPI 6.5, hardware-reduced, section 3.11.1).
//!
//! Made with the `acpi_tables` crate; `iasl` checks the result in the tests.

mod dsdt;
mod fadt;
mod madt;
mod tables;

pub use tables::tables;

/// OEM identifier in every table.
const OEM: [u8; 6] = *b"HYPERC";
/// OEM table identifier in every table.
const OEM_TABLE: [u8; 8] = *b"HYPRCUBE";
/// OEM revision in every table.
const REVISION: u32 = 1;
