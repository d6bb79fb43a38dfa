//! The ACPI tables that the hypervisor itself needs: MADT, FADT, MCFG.

use super::{Information, MadtPlace};
use crate::memory::direct;
use ::acpi::sdt::fadt::Fadt;
use ::acpi::sdt::madt::{Madt, MadtEntry};
use ::acpi::sdt::mcfg::Mcfg;
use ::acpi::{AcpiTables, Handler, PciAddress, PhysicalMapping};
use core::ptr::NonNull;
use heapless::Vec;

/// A real IO-APIC.
#[derive(Clone, Copy, Debug)]
pub struct IoApicInfo {
    /// Physical address of its registers.
    pub address: u64,
    /// Its first global system interrupt.
    pub gsi_base: u32,
}

/// What was found.
#[derive(Default)]
pub struct Acpi {
    /// Local APIC identifiers of usable CPUs.
    pub cpus: Vec<u32, 64>,
    /// IO-APICs.
    pub io_apics: Vec<IoApicInfo, 8>,
    /// I/O port of the power-management timer.
    pub pm_timer: u16,
    /// PCI configuration space in memory: base of bus 0 of segment 0, if there is one.
    pub mcfg: Option<u64>,
    /// The table of CPUs and IO-APICs itself.
    pub madt: MadtPlace,
}

impl Acpi {
    /// Reads the tables.
    pub fn read(info: &Information) -> Result<Self, &'static str> {
        let rsdp = rsdp(info).ok_or("no ACPI tables (RSDP) were found")?;
        // SAFETY: the address is that of a checked RSDP inside the direct map.
        let tables = unsafe { AcpiTables::from_rsdp(Tables, rsdp) }.map_err(|_| "the ACPI tables are damaged")?;
        let mut this = Self::default();
        let madt = tables.find_table::<Madt>().ok_or("ACPI has no MADT")?;
        this.madt = MadtPlace { address: madt.physical_start as u64, len: madt.region_length as u64 };
        let mut beyond = 0;
        // Firmware may list a CPU in both forms.
        let mut add_cpu = |id| beyond += u32::from(!this.cpus.contains(&id) && this.cpus.push(id).is_err());
        for entry in madt.get().entries() {
            match entry {
                MadtEntry::LocalApic(e) if { e.flags } & 1 == 1 => add_cpu(e.apic_id.into()),
                MadtEntry::LocalX2Apic(e) if { e.flags } & 1 == 1 => add_cpu(e.x2apic_id),
                MadtEntry::IoApic(e) => {
                    let info =
                        IoApicInfo { address: e.io_apic_address.into(), gsi_base: e.global_system_interrupt_base };
                    // dom0 would program one that is left out as it likes.
                    this.io_apics.push(info).map_err(|_| "ACPI lists more than 8 IO-APICs")?;
                }
                _ => {}
            }
        }
        if beyond > 0 {
            crate::log::warn!("{beyond} CPUs stay off: ACPI lists more than are looked at");
        }
        let fadt = tables.find_table::<Fadt>().ok_or("ACPI has no FADT")?;
        let timer = fadt.get().pm_timer_block().ok().flatten().ok_or("ACPI has no power-management timer")?;
        this.pm_timer = u16::try_from(timer.address).map_err(|_| "the power-management timer is not an I/O port")?;
        this.mcfg =
            tables.find_table::<Mcfg>().and_then(|mcfg| mcfg.get().entries().first().map(|entry| entry.base_address));
        Ok(this)
    }
}

/// The RSDP: the loader's copy (which lies in memory that is mapped), or the one in the BIOS area.
fn rsdp(info: &Information) -> Option<usize> {
    if let Some((bytes, _)) = &info.rsdp {
        return Some(direct::physical(bytes.as_ptr().addr()) as usize);
    }
    (0xe_0000..0x10_0000).step_by(16).find(|&address| {
        let mut signature = [0; 8];
        direct::read_bytes(address as u64, &mut signature);
        &signature == b"RSD PTR "
    })
}

/// Devices are reached from AML only, and none is run: reads give ones, writes go nowhere.
macro_rules! no_reads {
    ($($name:ident($address:ty) -> $value:ty;)*) => {
        $(fn $name(&self, _: $address) -> $value { <$value>::MAX })*
    };
}
macro_rules! no_writes {
    ($($name:ident($address:ty, $value:ty);)*) => {
        $(fn $name(&self, _: $address, _: $value) {})*
    };
}
macro_rules! no_pci {
    ($($read:ident $write:ident $value:ty;)*) => {
        $(
            fn $read(&self, _: PciAddress, _: u16) -> $value { <$value>::MAX }
            fn $write(&self, _: PciAddress, _: u16, _: $value) {}
        )*
    };
}

/// Access to tables through the direct map. Only mapping is used: no AML is run here.
#[derive(Clone, Copy)]
struct Tables;

impl Handler for Tables {
    // SAFETY: nothing is asked of the caller beyond the trait: the direct map checks the address.
    unsafe fn map_physical_region<T>(&self, address: usize, size: usize) -> PhysicalMapping<Self, T> {
        let pointer = direct::pointer(address as u64).cast::<T>();
        // Touches the last byte's address, so that a table beyond memory stops here.
        let _ = direct::pointer(address as u64 + (size as u64).saturating_sub(1));
        PhysicalMapping {
            physical_start: address,
            virtual_start: NonNull::new(pointer).unwrap_or(NonNull::dangling()),
            region_length: size,
            mapped_length: size,
            handler: *self,
        }
    }
    fn unmap_physical_region<T>(_: &PhysicalMapping<Self, T>) {}
    fn nanos_since_boot(&self) -> u64 {
        crate::cpu::time::since_start_ns()
    }
    fn stall(&self, microseconds: u64) {
        crate::cpu::time::spin_us(microseconds);
    }
    fn sleep(&self, milliseconds: u64) {
        crate::cpu::time::spin_us(milliseconds * 1000);
    }
    no_reads! {
        read_u8(usize) -> u8; read_u16(usize) -> u16; read_u32(usize) -> u32; read_u64(usize) -> u64;
        read_io_u8(u16) -> u8; read_io_u16(u16) -> u16; read_io_u32(u16) -> u32;
    }
    no_writes! {
        write_u8(usize, u8); write_u16(usize, u16); write_u32(usize, u32); write_u64(usize, u64);
        write_io_u8(u16, u8); write_io_u16(u16, u16); write_io_u32(u16, u32);
    }
    no_pci! {
        read_pci_u8 write_pci_u8 u8; read_pci_u16 write_pci_u16 u16; read_pci_u32 write_pci_u32 u32;
    }
}
