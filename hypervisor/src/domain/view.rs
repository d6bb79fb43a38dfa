//! Guest memory as an instruction sees it: through the guest's page tables, with the guest's rights.

use super::emulation::{Devices, MemoryFault, Stop};
use super::{Context, Domain};
use crate::vcpu::Event;
use emulate::{Access, Mode, Place, Refusal, Registers};
use paging::guest::{self, Intent, WalkError};
use paging::{FRAME_SIZE, Gpa};

const GENERAL_PROTECTION: Event = Event::Exception(13, Some(0));

/// How the guest sees memory.
pub(super) struct View {
    mode: crate::vcpu::Mode,
    /// The width of code.
    pub width: Mode,
    paging: guest::Mode,
    rip: u64,
}

impl View {
    /// From the state at an exit.
    pub fn new(context: &Context) -> Result<Self, Stop> {
        let mode = context.backend.mode();
        let width = if mode.long {
            Mode::Bits64
        } else if mode.default32 {
            Mode::Bits32
        } else {
            Mode::Bits16
        };
        let bits = crate::cpu::cpuid::physical_bits() as u8;
        let registers =
            guest::Registers { cr0: mode.cr0, cr3: mode.cr3, cr4: mode.cr4, efer: mode.efer, physical_bits: bits };
        let paging = guest::Mode::new(registers).map_err(|_| Stop::Refused(Refusal::NotEmulated))?;
        Ok(Self { mode, width, paging, rip: context.registers.rip })
    }

    /// The registers that instructions see.
    pub fn registers(&self, context: &Context) -> Registers {
        Registers {
            gpr: context.registers.gpr,
            rip: context.registers.rip,
            rflags: context.registers.rflags,
            segment_bases: self.mode.bases,
        }
    }

    /// Reads the instruction's bytes, as many as are mapped, at most 15.
    pub fn fetch(&self, domain: &Domain, bytes: &mut [u8; 15]) -> Result<usize, Stop> {
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
        domain.read(gpa, out).map_err(Stop::from)
    }

    fn translate(&self, domain: &Domain, linear: u64, intent: Intent) -> Result<u64, Stop> {
        let entry = |at: Gpa| {
            let mut word = [0; 8];
            domain.read(at.0, &mut word).map(|()| u64::from_le_bytes(word))
        };
        match guest::walk(self.paging, linear, intent, entry) {
            Ok(translation) => Ok(translation.gpa.0),
            Err(WalkError::Fault(fault)) => Err(Stop::PageFault { address: fault.address, code: fault.code }),
            Err(WalkError::NotCanonical) => Err(Stop::Inject(GENERAL_PROTECTION)),
            Err(WalkError::Memory(_, fault)) => Err(fault.into()),
        }
    }

    /// Checks that a place can be accessed; the physical address of memory.
    pub fn locate(&self, domain: &Domain, access: Access, write: bool) -> Result<u64, Stop> {
        match access.place {
            Place::Device(address) => Ok(address),
            Place::Memory(linear) => {
                if linear % FRAME_SIZE + u64::from(access.width) > FRAME_SIZE {
                    return Err(Stop::Refused(Refusal::CrossesPage));
                }
                let user = self.mode.cpl == 3;
                let gpa = self.translate(domain, linear, Intent { write, user, ..Intent::default() })?;
                // A page that is away is found out here, before a device is touched.
                match domain.read(gpa, &mut [0]) {
                    Err(MemoryFault::Absent(gfn)) => Err(Stop::Absent(gfn)),
                    _ => Ok(gpa),
                }
            }
            Place::Port(_) => Err(Stop::Refused(Refusal::NotEmulated)),
        }
    }

    /// Reads memory or a device.
    pub fn load(&self, domain: &Domain, access: Access, devices: &mut dyn Devices) -> Result<u64, Stop> {
        let address = self.locate(domain, access, false)?;
        if devices.claims(address) {
            return Ok(devices.read(address, access.width));
        }
        let mut bytes = [0; 8];
        domain.read(address, &mut bytes[..access.width as usize & 15]).map_err(Stop::from)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Writes memory or a device.
    pub fn store(&self, domain: &Domain, access: Access, value: u64, devices: &mut dyn Devices) -> Result<(), Stop> {
        let address = self.locate(domain, access, true)?;
        if devices.claims(address) {
            devices.write(address, access.width, value);
            return Ok(());
        }
        let bytes = value.to_le_bytes();
        domain.write(address, &bytes[..access.width as usize & 15]).map_err(Stop::from)
    }
}
