//! Building a guest at dom0's word, and starting and pausing it.

use super::memory::Touched;
use super::{Guest, GuestMemory, Promise, Slots, list};
use crate::cpu::lock::{Level, Lock};
use crate::domain::{Domain, Kind, Vcpu};
use crate::memory::direct;
use crate::vcpu::{self, Gpr, Registers, Start};
use abi::Error;
use abi::domain::{BootState, DeviceConfig, boot_mode, state};
use abi::platform::{IOAPIC_ID, VIRTIO_SLOTS};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use apic::io::IoApic;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use pages::Owner;
use paging::Gfn;

/// Most vCPUs of a guest.
const MAX_VCPUS: u64 = 32;
/// Least and most memory, in pages: 1 MiB and 256 GiB.
const MEMORY: core::ops::RangeInclusive<u64> = 256..=1 << 26;

/// `CREATE`.
pub fn create(vcpus: u64, memory: u64, limit: u64, flags: u64, name: [u8; 64]) -> Result<u32, Error> {
    if !(1..=MAX_VCPUS).contains(&vcpus) || !MEMORY.contains(&memory) || limit == 0 || limit > memory {
        return Err(Error::Invalid);
    }
    if abi::domain::DomainFlags::from_bits(flags).is_none() || core::str::from_utf8(&name).is_err() {
        return Err(Error::Invalid);
    }
    let guest = |id| {
        Some(Guest {
            promise: Promise::of(vcpus as usize)?,
            name,
            vcpus: vcpus as u32,
            state: AtomicU32::new(state::BUILDING),
            flags: AtomicU64::new(flags),
            memory: Lock::new(Level::Memory, GuestMemory::new(Owner::domain(id)?, memory, limit)?),
            devices: Lock::new(Level::Devices, Slots::new()),
            io_apic: Lock::new(Level::IoApic, IoApic::new(IOAPIC_ID)),
            boot: Lock::new(Level::Devices, None),
            end_untold: AtomicBool::new(false),
            stalled: AtomicBool::new(false),
            unfinished: AtomicBool::new(false),
            demand_zero: AtomicU64::new(0),
        })
    };
    let domain = list::insert(|id| Some(Domain::new(id, Kind::Guest(Box::new(guest(id)?)))))?;
    Ok(domain.id)
}

/// The guest part of a domain that is still being built.
fn building(domain: &Domain) -> Result<&Guest, Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    if guest.state.load(Ordering::Acquire) == state::BUILDING { Ok(guest) } else { Err(Error::State) }
}

/// `ADD_DEVICE`.
pub fn add_device(
    domain: &Domain,
    slot: u64,
    id: u64,
    queues: u64,
    features: u64,
    config: &DeviceConfig,
) -> Result<(), Error> {
    let guest = building(domain)?;
    if slot >= VIRTIO_SLOTS.into() {
        return Err(Error::Invalid);
    }
    let bytes = config.bytes.get(..config.len as usize).ok_or(Error::Invalid)?;
    let id = u32::try_from(id).map_err(|_| Error::Invalid)?;
    let (count, max) = (queues & 0xffff, (queues >> 16) as u16);
    if !guest.promise.add_device() {
        return Err(Error::NoMemory);
    }
    guest.devices.lock().add(slot as usize, id, count as usize, max, features, bytes)
}

/// `LOAD`: the number of pages copied.
pub fn load(domain: &Domain, gfn: u64, buffer: u64, pages: u64) -> Result<i64, Error> {
    let guest = building(domain)?;
    if !(1..=512).contains(&pages) || !crate::dom0::owns(buffer, pages << 12) {
        return Err(Error::BadBuffer);
    }
    let mut memory = guest.memory.lock();
    for page in 0..pages {
        let gfn = gfn.checked_add(page).ok_or(Error::Invalid)?;
        match memory.touch(Gfn(gfn)) {
            Touched::Frame(mfn) => direct::copy(buffer + (page << 12), mfn.0 << 12, 4096),
            Touched::Outside => return Err(Error::Invalid),
            _ => return Err(Error::NoMemory),
        }
    }
    memory.merge_ripe(domain);
    Ok(pages.cast_signed())
}

/// `SET_BOOT_STATE`.
pub fn set_boot_state(domain: &Domain, boot: BootState) -> Result<(), Error> {
    let guest = building(domain)?;
    if !matches!(boot.mode, boot_mode::LONG64 | boot_mode::PROTECTED32) {
        return Err(Error::Invalid);
    }
    *guest.boot.lock() = Some(boot);
    Ok(())
}

/// `START`: from Building or Paused to Running.
pub fn start(domain: &Arc<Domain>) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    let from = guest.state.load(Ordering::Acquire);
    match from {
        state::BUILDING => first_start(domain, guest)?,
        state::PAUSED => {}
        _ => return Err(Error::State),
    }
    // A paused guest may end before its last vCPU has stopped.
    if guest.state.compare_exchange(from, state::RUNNING, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return Err(Error::State);
    }
    for vcpu in domain.vcpus() {
        vcpu.notify();
    }
    Ok(())
}

fn first_start(domain: &Arc<Domain>, guest: &Guest) -> Result<(), Error> {
    let boot = (*guest.boot.lock()).ok_or(Error::State)?;
    let start = match boot.mode {
        boot_mode::LONG64 => Start::Long64 { cr3: boot.cr3 },
        _ => Start::Protected32,
    };
    let mut registers = Registers { rip: boot.rip, ..Registers::default() };
    registers.gpr[Gpr::RSP] = boot.rsp;
    registers.gpr[Gpr::RSI] = boot.rsi;
    registers.gpr[Gpr::RBX] = boot.rbx;
    let root = guest.memory.lock().root();
    let mut vcpus = Vec::new();
    for index in 0..guest.vcpus {
        let backend = vcpu::new_cpu(root, false).ok_or(Error::NoMemory)?;
        let first = (index == 0).then_some((start, registers));
        vcpus.push(Vcpu::new(domain, index, index, None, backend, first));
    }
    domain.set_vcpus(vcpus);
    for vcpu in domain.vcpus() {
        crate::sched::add(vcpu.clone());
    }
    Ok(())
}

/// `PAUSE`: its vCPUs leave their CPUs at the next exit, which is asked for.
pub fn pause(domain: &Arc<Domain>) -> Result<(), Error> {
    let guest = domain.guest().ok_or(Error::NotFound)?;
    if guest.state.compare_exchange(state::RUNNING, state::PAUSED, Ordering::AcqRel, Ordering::Acquire).is_err() {
        return Err(Error::State);
    }
    for vcpu in domain.vcpus() {
        vcpu.notify();
    }
    Ok(())
}
