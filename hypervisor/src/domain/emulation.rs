//! An access to device memory: fetches the instruction, plans it, and carries the plan out.

use super::{Context, Domain, Next, Reason, Vcpu};
use crate::vcpu::{Event, NestedFault};
use alloc::sync::Arc;
use emulate::{Access, Mode, Place, Refusal, Registers};
use paging::guest::{self, Intent, WalkError};
use paging::{FRAME_SIZE, Gpa};

/// Device registers at guest-physical addresses.
pub trait Devices {
    /// Reads `width` bytes (1, 2, 4 or 8).
    fn read(&mut self, address: u64, width: u32) -> u64;
    /// Writes `width` bytes.
    fn write(&mut self, address: u64, width: u32, value: u64);
    /// True if the address is a device's.
    fn claims(&self, address: u64) -> bool;
}

/// Why guest memory cannot be accessed now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemoryFault {
    /// Neither memory nor device.
    Bad(u64),
}

/// Why an emulation did not finish.
enum Stop {
    /// The guest gets this.
    Inject(Event),
    /// Run the instruction again.
    Again,
    /// It cannot be emulated.
    Refused(Refusal),
    /// An address without memory.
    Bad(u64),
}

const GENERAL_PROTECTION: Event = Event::Exception(13, Some(0));

/// Emulates the instruction that touched `fault.address`, a register of `devices`.
pub fn access(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, fault: NestedFault, devices: &mut dyn Devices) -> Next {
    match attempt(domain, context, fault, devices) {
        Ok(()) | Err(Stop::Again) => Next::Continue,
        Err(Stop::Inject(event)) => {
            context.backend.inject(event);
            Next::Continue
        }
        Err(Stop::Refused(refusal)) => {
            crate::log::warn!("domain {} vCPU {}: {refusal} (device address {:#x})", domain.id, vcpu.index, fault.address);
            super::exits::end(domain, context, Reason::Emulation, fault.address)
        }
        Err(Stop::Bad(address)) => super::exits::end(domain, context, Reason::BadAddress, address),
    }
}

fn attempt(domain: &Domain, context: &mut Context, fault: NestedFault, devices: &mut dyn Devices) -> Result<(), Stop> {
    let view = View::new(context)?;
    let mut bytes = [0; 15];
    let len = view.fetch(domain, &mut bytes)?;
    let mut registers = Registers {
        gpr: context.registers.gpr,
        rip: context.registers.rip,
        rflags: context.registers.rflags,
        segment_bases: view.mode.bases,
    };
    let at = emulate::mmio::Fault { address: fault.address, write: fault.write };
    let plan = emulate::mmio::plan(&bytes[..len], view.width, &registers, at).map_err(|refusal| match refusal {
        Refusal::Invalid => Stop::Inject(Event::Exception(6, None)),
        Refusal::Mismatch => Stop::Again,
        other => Stop::Refused(other),
    })?;
    // The store's place is checked before the load has an effect on a device.
    if let Some(store) = plan.store() {
        view.locate(domain, store, true)?;
    }
    let loaded = match plan.load() {
        Some(load) => view.load(domain, load, devices)?,
        None => 0,
    };
    let result = plan.finish(&mut registers, loaded);
    if let (Some(store), Some(value)) = (plan.store(), result) {
        view.store(domain, store, value, devices)?;
    }
    context.registers.gpr = registers.gpr;
    context.registers.rip = registers.rip;
    context.registers.rflags = registers.rflags;
    context.backend.end_shadow();
    Ok(())
}

/// How the guest sees memory.
struct View {
    mode: crate::vcpu::Mode,
    width: Mode,
    paging: guest::Mode,
    rip: u64,
}

impl View {
    fn new(context: &Context) -> Result<Self, Stop> {
        let mode = context.backend.mode();
        let width = if mode.long { Mode::Bits64 } else if mode.default32 { Mode::Bits32 } else { Mode::Bits16 };
        let bits = crate::cpu::cpuid::physical_bits() as u8;
        let registers = guest::Registers { cr0: mode.cr0, cr3: mode.cr3, cr4: mode.cr4, efer: mode.efer, physical_bits: bits };
        let paging = guest::Mode::new(registers).map_err(|_| Stop::Refused(Refusal::NotEmulated))?;
        Ok(Self { mode, width, paging, rip: context.registers.rip })
    }

    /// Reads the instruction's bytes, as many as are mapped, at most 15.
    fn fetch(&self, domain: &Domain, bytes: &mut [u8; 15]) -> Result<usize, Stop> {
        let base = if self.mode.long { 0 } else { self.mode.bases[1] };
        let start = base.wrapping_add(self.rip);
        let first = (FRAME_SIZE - start % FRAME_SIZE).min(15) as usize;
        let intent = Intent { execute: true, user: self.mode.cpl == 3, ..Intent::default() };
        self.read(domain, start, &mut bytes[..first], intent)?;
        if first < 15 && self.read(domain, start.wrapping_add(first as u64), &mut bytes[first..], intent).is_err() {
            return Ok(first);
        }
        Ok(15)
    }

    /// Reads linear memory inside one page.
    fn read(&self, domain: &Domain, linear: u64, out: &mut [u8], intent: Intent) -> Result<(), Stop> {
        let gpa = self.translate(domain, linear, intent)?;
        domain.read(gpa, out).map_err(|MemoryFault::Bad(address)| Stop::Bad(address))
    }

    fn translate(&self, domain: &Domain, linear: u64, intent: Intent) -> Result<u64, Stop> {
        let entry = |at: Gpa| {
            let mut word = [0; 8];
            domain.read(at.0, &mut word).map(|()| u64::from_le_bytes(word))
        };
        match guest::walk(self.paging, linear, intent, entry) {
            Ok(translation) => Ok(translation.gpa.0),
            Err(WalkError::Fault(fault)) => {
                // SAFETY: CR2 is the guest's while its context is loaded; the hypervisor takes no page faults.
                unsafe { crate::cpu::register::set_cr2(fault.address) };
                Err(Stop::Inject(Event::Exception(14, Some(fault.code))))
            }
            Err(WalkError::NotCanonical) => Err(Stop::Inject(GENERAL_PROTECTION)),
            Err(WalkError::Memory(_, MemoryFault::Bad(address))) => Err(Stop::Bad(address)),
        }
    }

    /// Checks that a place can be accessed; the physical address of memory.
    fn locate(&self, domain: &Domain, access: Access, write: bool) -> Result<u64, Stop> {
        match access.place {
            Place::Device(address) => Ok(address),
            Place::Memory(linear) => {
                if linear % FRAME_SIZE + u64::from(access.width) > FRAME_SIZE {
                    return Err(Stop::Refused(Refusal::CrossesPage));
                }
                let user = self.mode.cpl == 3;
                self.translate(domain, linear, Intent { write, user, ..Intent::default() })
            }
            Place::Port(_) => Err(Stop::Refused(Refusal::NotEmulated)),
        }
    }

    fn load(&self, domain: &Domain, access: Access, devices: &mut dyn Devices) -> Result<u64, Stop> {
        let address = self.locate(domain, access, false)?;
        if devices.claims(address) {
            return Ok(devices.read(address, access.width));
        }
        let mut bytes = [0; 8];
        domain.read(address, &mut bytes[..access.width as usize & 15]).map_err(|MemoryFault::Bad(at)| Stop::Bad(at))?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn store(&self, domain: &Domain, access: Access, value: u64, devices: &mut dyn Devices) -> Result<(), Stop> {
        let address = self.locate(domain, access, true)?;
        if devices.claims(address) {
            devices.write(address, access.width, value);
            return Ok(());
        }
        let bytes = value.to_le_bytes();
        domain.write(address, &bytes[..access.width as usize & 15]).map_err(|MemoryFault::Bad(at)| Stop::Bad(at))
    }
}
