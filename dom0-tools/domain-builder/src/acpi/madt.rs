//! MADT (ACPI 6.5, section 5.2.12): processors and the IO-APIC.
//!
//! The local APIC of vCPU `n` has identifier `n`. All are below 255, where local APIC structures
//! are the proper ones also for x2APIC (section 5.2.12.12).

use super::{OEM, OEM_TABLE, REVISION};
use crate::domain::MAX_VCPUS;
use abi::platform::{IOAPIC_BASE, IOAPIC_ID};
use acpi_tables::madt::{EnabledStatus, IoApic, LocalInterruptController, MADT, ProcessorLocalApic};

/// Architectural address of the local APIC. Not used in x2APIC mode, but the table has a field for it.
const LOCAL_APIC: u32 = 0xfee0_0000;

const _: () = assert!(MAX_VCPUS < 255);
const _: () = assert!(IOAPIC_BASE <= u32::MAX as u64);

/// The table for `vcpus` processors.
pub(super) fn madt(vcpus: u32) -> MADT {
    let mut table = MADT::new(OEM, OEM_TABLE, REVISION, LocalInterruptController::Address(LOCAL_APIC));
    for n in 0..vcpus.min(MAX_VCPUS) {
        let id = u8::try_from(n).unwrap_or(u8::MAX);
        table.add_structure(ProcessorLocalApic::new(id, id, EnabledStatus::Enabled));
    }
    table.add_structure(IoApic::new(IOAPIC_ID, u32::try_from(IOAPIC_BASE).unwrap_or(0), 0));
    table
}
