//! The ACPI tables: checksums, the way from the RSDP to each table, and what `iasl` reads in them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abi::platform;
use domain_builder::{acpi, domain::MAX_VCPUS, layout};
use std::fs;
use std::process::Command;

fn at(block: &[u8], address: u64) -> &[u8] {
    &block[usize::try_from(address - layout::ACPI).unwrap()..]
}

fn table(block: &[u8], address: u64) -> &[u8] {
    let table = at(block, address);
    let len = u32::from_le_bytes(table[4..8].try_into().unwrap()) as usize;
    let table = &table[..len];
    assert_eq!(table.iter().fold(0u8, |sum, b| sum.wrapping_add(*b)), 0, "checksum of {:?}", &table[..4]);
    table
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// FADT, MADT and DSDT, found as a kernel finds them.
fn find(block: &[u8]) -> (&[u8], &[u8], &[u8]) {
    assert_eq!(&block[..8], b"RSD PTR ");
    assert_eq!(block[..20].iter().fold(0u8, |sum, b| sum.wrapping_add(*b)), 0);
    assert_eq!(block[..36].iter().fold(0u8, |sum, b| sum.wrapping_add(*b)), 0);
    let xsdt = table(block, u64_at(block, 24));
    assert_eq!((&xsdt[..4], xsdt.len()), (b"XSDT".as_slice(), 36 + 16));
    let fadt = table(block, u64_at(xsdt, 36));
    let madt = table(block, u64_at(xsdt, 44));
    (fadt, madt, table(block, u64_at(fadt, 140)))
}

/// What `iasl -d` makes of a table.
fn disassemble(name: &str, bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(format!("{name}.aml")), bytes).unwrap();
    let output = Command::new("iasl").arg("-d").arg(format!("{name}.aml")).current_dir(&folder).output();
    let output = output.expect("iasl is needed for this test: install the package acpica-tools");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    for bad in ["Warning", "Error", "Invalid", "Incorrect"] {
        assert!(!said.contains(bad), "{said}");
    }
    let text = fs::read_to_string(folder.path().join(format!("{name}.dsl"))).unwrap();
    // What was read must also be what a compiler accepts.
    let output = Command::new("iasl").arg("-we").arg(format!("{name}.dsl")).current_dir(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}\n{text}");
    text
}

#[test]
fn fits_for_every_domain() {
    for vcpus in [1, 2, MAX_VCPUS, u32::MAX] {
        for devices in 0..=platform::VIRTIO_SLOTS as usize + 1 {
            let block = acpi::tables(vcpus, devices);
            assert!((block.len() as u64) < layout::ACPI_MAX);
            let (_, madt, _) = find(&block);
            assert_eq!(madt.len(), 44 + 8 * vcpus.min(MAX_VCPUS) as usize + 12);
        }
    }
}

#[test]
fn the_fadt_is_of_a_reduced_machine() {
    let block = acpi::tables(1, 1);
    let text = disassemble("fadt", find(&block).0);
    for line in [
        "Hardware Reduced (V5) : 1",
        "Reset Register Supported (V2) : 1",
        "Control Method Power Button (V1) : 1",
        "8042 Present on ports 60/64 (V2) : 0",
        "VGA Not Present (V4) : 1",
        "CMOS RTC Not Present (V5) : 1",
        "Value to cause reset : 01",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    for address in [platform::RESET_PORT, platform::SLEEP_CONTROL_PORT, platform::SLEEP_STATUS_PORT] {
        assert!(text.contains(&format!("Address : {address:016X}")), "{text}");
    }
}

#[test]
fn the_madt_has_the_processors_and_the_io_apic() {
    let block = acpi::tables(3, 0);
    let text = disassemble("madt", find(&block).1);
    assert_eq!(text.matches("[Processor Local APIC]").count(), 3, "{text}");
    for id in ["00", "01", "02"] {
        assert!(text.contains(&format!("Local Apic ID : {id}")), "{text}");
    }
    assert!(text.contains("Address : FEC00000") && text.contains("PC-AT Compatibility : 0"), "{text}");
}

#[test]
fn the_dsdt_has_the_devices_of_the_domain_and_the_power_button() {
    let block = acpi::tables(1, 2);
    let text = disassemble("dsdt", find(&block).2);
    assert_eq!(text.matches("\"LNRO0005\"").count(), 2, "{text}");
    for part in [
        "0xD0000000,         // Address Base",
        "0xD0001000,         // Address Base",
        "0x00000006,",
        "0x00000007,",
        "EisaId (\"PNP0501\")",
        "EisaId (\"PNP0C0C\")",
        "\"ACPI0013\"",
        "SystemIO, 0x0608, One",
        "Notify (\\_SB.PWRB, 0x80)",
        "Name (\\_S5, Package (0x04)",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(text.matches("Edge, ActiveHigh, Exclusive").count(), 4, "{text}");
}
