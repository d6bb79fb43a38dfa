//! Builds dom0 at boot: its memory, kernel, boot parameters and vCPUs.
//!
//! Low memory holds what is needed only until Linux has its own: Linux never allocates below 1 MiB.

use super::linux::{self, HEADER};
use super::space::Space;
use crate::boot::{Information, Options, RegionKind};
use crate::cpu;
use crate::domain::{Domain, Kind, Vcpu};
use crate::memory::direct;
use crate::memory::ranges::Ranges;
use crate::vcpu::{self, Gpr, Registers, Start};
use alloc::vec::Vec;
use core::fmt::Write;
use core::sync::atomic::Ordering;
use heapless::String;

const RSDP: u64 = 0x1000;
const BOOT_PARAMS: u64 = 0x2000;
const COMMAND_LINE: u64 = 0x3000;
/// PML4, PDPT, four page directories.
const TABLES: u64 = 0x4000;

/// Where the files of the boot modules were brought to safety.
#[derive(Clone, Copy)]
pub struct Staged {
    /// The kernel: address and size.
    pub kernel: (u64, u64),
    /// The initial RAM disk with the overlay behind it.
    pub initrd: (u64, u64),
}

/// Builds dom0 and queues its vCPUs.
pub fn build(
    info: &Information,
    options: &Options,
    ram: Ranges,
    ours: Ranges,
    staged: Staged,
) -> Result<(), &'static str> {
    let kernel = linux::read(staged.kernel.0, staged.kernel.1)?;
    let mut free = ram.clone();
    let load = kernel.preferred;
    if load < 1 << 20 || !ram.contains(load, load + kernel.init_size) {
        return Err("dom0's kernel does not fit where it wants to be: give dom0 more memory with dom0_mem=");
    }
    direct::copy(staged.kernel.0 + kernel.code, load, staged.kernel.1 - kernel.code);
    if !free.remove(load, load + kernel.init_size) || !free.remove(0, 1 << 20) {
        return Err("dom0's memory is in too many pieces");
    }
    let initrd = free
        .highest(staged.initrd.1, kernel.initrd_max)
        .ok_or("dom0's initial RAM disk does not fit: give dom0 more memory with dom0_mem=")?;
    direct::copy(staged.initrd.0, initrd, staged.initrd.1);
    if !ram.contains(RSDP, TABLES + 6 * 4096) {
        return Err("no RAM at the bottom of memory for dom0's boot parameters");
    }
    let cpus = cpu::working().take(options.dom0_vcpus.unwrap_or(u32::MAX) as usize);
    let vcpus = cpus.len() as u32;
    boot_params(info, &ram, staged, &kernel, initrd)?;
    command_line(info, &kernel, vcpus)?;
    page_tables();

    let space = Space::new(ram, ours).ok_or("not enough memory for dom0's nested page table")?;
    let domain = Domain::new(0, Kind::Dom0);
    let mut list = Vec::new();
    for (index, number) in (0..).zip(cpus) {
        let backend = vcpu::new_cpu(space.root(), true).ok_or("not enough memory for dom0's vCPUs")?;
        let mut registers = Registers { rip: load + 0x200, ..Registers::default() };
        registers.gpr[Gpr::RSI] = BOOT_PARAMS;
        let start = (index == 0).then_some((Start::Long64 { cr3: TABLES }, registers));
        let apic_id = cpu::of(number).map_or(number, |cpu| cpu.apic_id.load(Ordering::Relaxed));
        list.push(Vcpu::new(&domain, index, apic_id, Some(number), backend, start));
    }
    domain.set_vcpus(list);
    space.publish(domain.clone());
    for vcpu in domain.vcpus() {
        crate::sched::add(vcpu.clone());
    }
    crate::log::info!(
        "dom0: {vcpus} vCPUs, kernel at {load:#x}, initrd at {initrd:#x} ({} KiB)",
        staged.initrd.1 >> 10
    );
    Ok(())
}

/// The zero page: the kernel's own header, memory map, initrd, RSDP.
fn boot_params(
    info: &Information,
    ram: &Ranges,
    staged: Staged,
    kernel: &linux::Kernel,
    initrd: u64,
) -> Result<(), &'static str> {
    let p = BOOT_PARAMS;
    let put = |offset: u64, bytes: &[u8]| direct::write_bytes(p + offset, bytes);
    direct::zero(p, 4096);
    let mut header = [0u8; 256];
    let len = kernel.header_len.min(header.len());
    direct::read_bytes(staged.kernel.0 + HEADER, &mut header[..len]);
    put(HEADER, &header[..len]);
    put(0x210, &[0xff]);
    put(0x218, &(initrd as u32).to_le_bytes());
    put(0x21c, &(staged.initrd.1 as u32).to_le_bytes());
    put(0x228, &(COMMAND_LINE as u32).to_le_bytes());
    if let Some((bytes, _)) = &info.rsdp {
        direct::write_bytes(RSDP, bytes);
        put(0x070, &RSDP.to_le_bytes());
    }
    let mut entries = 0u8;
    let mut entry = |start: u64, end: u64, kind: u32| {
        if start >= end {
            return Ok(());
        }
        if entries >= 128 {
            return Err("the memory map is too long for dom0");
        }
        let at = 0x2d0 + u64::from(entries) * 20;
        put(at, &start.to_le_bytes());
        put(at + 8, &(end - start).to_le_bytes());
        put(at + 16, &kind.to_le_bytes());
        entries += 1;
        Ok(())
    };
    for region in &info.regions {
        match region.kind {
            RegionKind::Ram => {
                let mut at = region.start;
                for (start, end) in ram.iter() {
                    let (start, end) = (start.clamp(at, region.end), end.clamp(at, region.end));
                    if start < end {
                        entry(at, start, 2)?;
                        entry(start, end, 1)?;
                        at = end;
                    }
                }
                entry(at, region.end, 2)?;
            }
            RegionKind::Reserved => entry(region.start, region.end, 2)?,
            RegionKind::AcpiTables => entry(region.start, region.end, 3)?,
            RegionKind::AcpiNvs => entry(region.start, region.end, 4)?,
        }
    }
    put(0x1e8, &[entries]);
    Ok(())
}

/// dom0's command line: the module's, what its virtual interrupt controller needs, and how many CPUs it has: ACPI's
/// own language may tell of more than the MADT does.
fn command_line(info: &Information, kernel: &linux::Kernel, vcpus: u32) -> Result<(), &'static str> {
    const LONG: &str = "dom0's command line is too long";
    let mut line = String::<2048>::new();
    let arguments = info.module("kernel").map_or("", |module| module.arguments.as_str());
    write!(line, "{arguments} x2apic_phys nr_cpus={vcpus}").map_err(|_| LONG)?;
    if line.len() as u64 > kernel.command_line_max {
        return Err(LONG);
    }
    direct::zero(COMMAND_LINE, 4096);
    direct::write_bytes(COMMAND_LINE, line.as_bytes());
    Ok(())
}

/// The first 4 GiB one to one, as the 64-bit entry asks.
fn page_tables() {
    let put = |at: u64, value: u64| direct::atomic(at).store(value, Ordering::Relaxed);
    direct::zero(TABLES, 6 * 4096);
    put(TABLES, (TABLES + 4096) | 3);
    for gib in 0..4 {
        let directory = TABLES + 0x2000 + gib * 4096;
        put(TABLES + 4096 + gib * 8, directory | 3);
        for index in 0..512 {
            put(directory + index * 8, gib << 30 | index << 21 | 0x83);
        }
    }
}
