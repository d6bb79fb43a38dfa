//! An access to device memory: fetches the instruction, plans it, and carries the plan out.

use super::view::View;
use super::{Context, Domain, Next, Reason, Vcpu};
use crate::vcpu::{Event, NestedFault};
use alloc::sync::Arc;
use emulate::{Refusal, Registers};
use virtio::memory::Fault;

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
    /// The guest's page of this number is paged out.
    Absent(u64),
}

impl From<Fault> for MemoryFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Bad(address) => Self::Bad(address),
            Fault::NotPresent(gfn) => Self::Absent(gfn),
        }
    }
}

/// Why an emulation did not finish.
pub(super) enum Stop {
    /// The guest gets this.
    Inject(Event),
    /// The guest gets a page fault.
    PageFault { address: u64, code: u32 },
    /// Run the instruction again.
    Again,
    /// It cannot be emulated.
    Refused(Refusal),
    /// An address without memory.
    Bad(u64),
    /// A page that must come back first.
    Absent(u64),
}

impl From<MemoryFault> for Stop {
    fn from(fault: MemoryFault) -> Self {
        match fault {
            MemoryFault::Bad(address) => Self::Bad(address),
            MemoryFault::Absent(gfn) => Self::Absent(gfn),
        }
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid => Self::Inject(Event::Exception(6, None)),
            Refusal::Mismatch => Self::Again,
            other => Self::Refused(other),
        }
    }
}

const GENERAL_PROTECTION: Event = Event::Exception(13, Some(0));

/// Exits in a row whose instruction was another one when it was read. Another vCPU may write to the
/// code, but not for ever: an interrupt's stack in a device looks the same.
const MOST_REPEATS: u32 = 1000;

/// Emulates the instruction that touched `fault.address`, a register of `devices`.
pub fn access(
    vcpu: &Arc<Vcpu>,
    domain: &Arc<Domain>,
    context: &mut Context,
    fault: NestedFault,
    devices: &mut dyn Devices,
) -> Next {
    let result = attempt(domain, context, fault, devices);
    settle(vcpu, domain, context, result, fault.address)
}

/// What becomes of the vCPU after an emulation; `address` is what a refusal names.
pub(super) fn settle(
    vcpu: &Vcpu,
    domain: &Arc<Domain>,
    context: &mut Context,
    result: Result<(), Stop>,
    address: u64,
) -> Next {
    context.repeats = if matches!(result, Err(Stop::Again)) { context.repeats + 1 } else { 0 };
    let given_up = context.repeats > MOST_REPEATS;
    // The end of dom0 is the end of all: a program of it that cannot be helped is told so instead.
    let is_program = domain.is_dom0() && context.backend.mode().cpl == 3;
    if is_program && (given_up || matches!(result, Err(Stop::Refused(_) | Stop::Bad(_)))) {
        context.repeats = 0;
        context.backend.inject(GENERAL_PROTECTION);
        return Next::Continue;
    }
    match result {
        Err(Stop::Again) if given_up => super::exits::end(domain, context, Reason::Emulation, address),
        Ok(()) | Err(Stop::Again) => Next::Continue,
        Err(Stop::Inject(event)) => {
            context.backend.inject(event);
            Next::Continue
        }
        Err(Stop::PageFault { address, code }) => {
            context.backend.set_cr2(address);
            context.backend.inject(Event::Exception(14, Some(code)));
            Next::Continue
        }
        Err(Stop::Refused(refusal)) => {
            crate::log::warn!("domain {} vCPU {}: {refusal} (address {address:#x})", domain.id, vcpu.index);
            super::exits::end(domain, context, Reason::Emulation, address)
        }
        Err(Stop::Bad(address)) => super::exits::end(domain, context, Reason::BadAddress, address),
        // The instruction runs again once the page is there.
        Err(Stop::Absent(gfn)) => crate::guest::bring_in(vcpu, domain, gfn),
    }
}

fn attempt(domain: &Domain, context: &mut Context, fault: NestedFault, devices: &mut dyn Devices) -> Result<(), Stop> {
    let view = View::new(context)?;
    let mut bytes = [0; 15];
    let len = view.fetch(domain, &mut bytes)?;
    let mut registers = view.registers(context);
    let at = emulate::mmio::Fault { address: fault.address, write: fault.write };
    let plan = emulate::mmio::plan(&bytes[..len], view.width, &registers, at)?;
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
    keep(context, &registers);
    Ok(())
}

/// Keeps the registers after an emulated instruction.
pub(super) fn keep(context: &mut Context, registers: &Registers) {
    context.registers.gpr = registers.gpr;
    context.registers.rip = registers.rip;
    context.registers.rflags = registers.rflags;
    context.backend.end_shadow();
}
