//! All tables in one block, the RSDP first.

use super::{OEM, OEM_TABLE, REVISION, dsdt, fadt, madt};
use crate::layout;
use acpi_tables::Aml;
use acpi_tables::rsdp::Rsdp;
use acpi_tables::xsdt::XSDT;

const ALIGN: usize = 64;

/// The bytes to be put at [`layout::ACPI`], fewer than [`layout::ACPI_MAX`] for every checked
/// domain: RSDP, DSDT, FADT, MADT, XSDT. `devices` are the virtio-mmio slots in use, from 0.
#[must_use]
pub fn tables(vcpus: u32, devices: usize) -> Vec<u8> {
    // The RSDP names the XSDT, which comes last: keep its room.
    let mut block = vec![0; Rsdp::len()];
    let dsdt = put(&mut block, &dsdt::dsdt(devices));
    let fadt = put(&mut block, &fadt::fadt(dsdt));
    let madt = put(&mut block, &madt::madt(vcpus));
    let mut xsdt = XSDT::new(OEM, OEM_TABLE, REVISION);
    xsdt.add_entry(fadt);
    xsdt.add_entry(madt);
    let xsdt = put(&mut block, &xsdt);
    let mut rsdp = Vec::new();
    Rsdp::new(OEM, xsdt).to_aml_bytes(&mut rsdp);
    block.splice(..rsdp.len(), rsdp);
    block
}

/// Appends a table and gives its guest-physical address.
fn put(block: &mut Vec<u8>, table: &dyn Aml) -> u64 {
    block.resize(block.len().next_multiple_of(ALIGN), 0);
    let address = layout::ACPI + block.len() as u64;
    table.to_aml_bytes(block);
    address
}
