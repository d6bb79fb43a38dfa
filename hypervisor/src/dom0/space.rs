//! dom0's address space: everything one to one, but for what the hypervisor owns.

use super::{io_apic, void};
use crate::cpu::lock::{Level, Lock};
use crate::cpu::port;
use crate::domain::{self, Context, Devices, Domain, MemoryFault, Next, Vcpu};
use crate::memory::direct;
use crate::memory::nested::Nested;
use crate::memory::ranges::Ranges;
use crate::service;
use crate::vcpu::{Event, NestedFault};
use alloc::sync::Arc;
use paging::{Gfn, MapError, MemoryType, Mfn, Size};

/// Page of the local APIC: dom0 has a virtual one in x2APIC mode, reached by MSRs only.
const LOCAL_APIC: u64 = 0xfee0_0000;
const LARGE: u64 = 2 << 20;

/// What dom0 can reach.
pub struct Space {
    nested: Lock<Nested>,
    /// RAM that is dom0's.
    ram: Ranges,
    /// RAM that is not dom0's.
    ours: Ranges,
}

static DOM0: spin::Once<(Arc<Domain>, Space)> = spin::Once::new();

/// dom0, once it exists.
pub fn domain() -> Option<&'static Arc<Domain>> {
    DOM0.get().map(|(domain, _)| domain)
}

impl Space {
    /// Maps everything below 4 GiB and all of dom0's RAM; what lies higher is mapped when touched.
    pub fn new(ram: Ranges, ours: Ranges) -> Option<Self> {
        let space = Self { nested: Lock::new(Level::Memory, Nested::new()?), ram, ours };
        let end = space.ram.iter().last().map_or(0, |(_, end)| end).max(4 << 30);
        let mut at = 0;
        while at < end {
            if at < 4 << 30 || space.ram.touches(at, at + LARGE) {
                space.map_block(at).ok()?;
            }
            at += LARGE;
        }
        Some(space)
    }

    /// Physical address of the nested table.
    pub fn root(&self) -> u64 {
        self.nested.lock().root()
    }

    /// True if there is nothing for dom0 in this page, though the real machine has something there.
    pub fn is_void(&self, address: u64) -> bool {
        let page = address & !0xfff;
        page == LOCAL_APIC || self.ours.touches(page, page + 4096)
    }

    /// Publishes dom0.
    pub fn publish(self, domain: Arc<Domain>) {
        DOM0.call_once(|| (domain, self));
    }

    /// Maps the 2 MiB around an address, in one piece where all of it is alike.
    fn map_block(&self, address: u64) -> Result<(), MapError> {
        let base = address & !(LARGE - 1);
        let end = base + LARGE;
        let mut nested = self.nested.lock();
        let mixed = self.ours.touches(base, end)
            || (base..end).contains(&LOCAL_APIC)
            || (base..end).step_by(4096).any(|page| Trapped.claims(page));
        let ram = self.ram.contains(base, end);
        if !mixed && (ram || !self.ram.touches(base, end)) {
            let kind = if ram { MemoryType::WriteBack } else { MemoryType::Uncacheable };
            match tolerate(nested.map(Gfn(base >> 12), Mfn(base >> 12), Size::Large, kind)) {
                // A page of it was trapped once: the block stays in small pages.
                Err(MapError::TableInTheWay) => {}
                result => return result,
            }
        }
        for page in (base..end).step_by(4096) {
            if page == LOCAL_APIC || self.ours.touches(page, page + 4096) || Trapped.claims(page) {
                continue;
            }
            // Firmware tables and the BIOS area are memory, whatever the map calls them.
            let memory = self.ram.touches(page, page + 4096) || page < 1 << 20;
            let kind = if memory { MemoryType::WriteBack } else { MemoryType::Uncacheable };
            tolerate(nested.map(Gfn(page >> 12), Mfn(page >> 12), Size::Small, kind))?;
        }
        Ok(())
    }
}

/// Two CPUs may fault on the same block.
fn tolerate(result: Result<(), MapError>) -> Result<(), MapError> {
    match result {
        Err(MapError::Occupied(_)) => Ok(()),
        other => other,
    }
}

/// The devices that dom0 reaches through the hypervisor.
struct Trapped;

impl Devices for Trapped {
    fn read(&mut self, address: u64, width: u32) -> u64 {
        if io_apic::claims(address) { io_apic::read(address, width) } else { service::read(address, width) }
    }
    fn write(&mut self, address: u64, width: u32, value: u64) {
        if io_apic::claims(address) {
            io_apic::write(address, width, value)
        } else {
            service::write(address, width, value)
        }
    }
    fn claims(&self, address: u64) -> bool {
        io_apic::claims(address) || service::pci::claims(address)
    }
}

/// dom0 touched an address that is not mapped.
pub fn nested_fault(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, fault: NestedFault) -> Next {
    let Some((_, space)) = DOM0.get() else { return Next::Continue };
    if Trapped.claims(fault.address) {
        return domain::access(vcpu, domain, context, fault, &mut Trapped);
    }
    if space.is_void(fault.address) {
        return void::access(vcpu, domain, context, fault);
    }
    if space.map_block(fault.address).is_err() {
        crate::log::error!("no memory to map {:#x} for dom0", fault.address);
        context.backend.inject(Event::Exception(13, Some(0)));
    }
    Next::Continue
}

/// True if dom0 meets nothing at this address: see [`Space::is_void`].
pub fn is_void(address: u64) -> bool {
    DOM0.get().is_some_and(|(_, space)| space.is_void(address))
}

/// True if all of the range is dom0's RAM: the only memory that a service buffer may be in.
pub fn owns(start: u64, len: u64) -> bool {
    let Some(end) = start.checked_add(len) else { return false };
    DOM0.get().is_some_and(|(_, space)| space.ram.contains(start, end))
}

/// Makes accesses to a page exit, wherever it was mapped. The page is not RAM.
pub fn trap(page: u64) {
    let Some((domain, space)) = DOM0.get() else { return };
    if owns(page, 4096) {
        return;
    }
    space.nested.lock().unmap_small(Gfn(page >> 12), || crate::sched::shoot_down(domain));
}

/// APIC identifier of the first of dom0's vCPUs that a destination reaches; the boot CPU's if none.
pub fn first_destination(destination: apic::Destination) -> u8 {
    let Some(domain) = domain() else { return 0 };
    let ids = domain.vcpus().iter().map(|vcpu| vcpu.lapic.lock().id());
    let first = ids.clone().find(|&id| destination.reaches(None, id));
    first.or_else(|| ids.clone().next()).unwrap_or(0) as u8
}

/// Reads dom0's RAM.
pub fn read(address: u64, out: &mut [u8]) -> Result<(), MemoryFault> {
    if !owns(address, out.len() as u64) {
        return Err(MemoryFault::Bad(address));
    }
    direct::read_bytes(address, out);
    Ok(())
}

/// Writes dom0's RAM on its behalf.
pub fn write(address: u64, bytes: &[u8]) -> Result<(), MemoryFault> {
    if !owns(address, bytes.len() as u64) {
        return Err(MemoryFault::Bad(address));
    }
    direct::write_bytes(address, bytes);
    Ok(())
}

/// dom0 ended by itself: a triple fault is how some systems reboot.
pub fn ended() {
    crate::log::error!("dom0 has ended; resetting the machine");
    port::write8(0xcf9, 2);
    port::write8(0xcf9, 6);
    port::write8(0x64, 0xfe);
}
