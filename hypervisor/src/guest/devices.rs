//! A guest's device memory: IO-APIC and virtio-mmio; and where its nested faults go.

use super::Guest;
use super::memory::Touched;
use super::page_in::Need;
use super::reclaim::reclaim;
use super::requests::{end_of_interrupt, pump};
use crate::domain::{self, Context, Devices, Domain, End, Next, Reason, Vcpu};
use crate::vcpu::NestedFault;
use abi::platform::{IOAPIC_BASE, VIRTIO_BASE, VIRTIO_SLOTS, VIRTIO_STRIDE};
use alloc::sync::Arc;
use apic::io::Written;
use core::sync::atomic::Ordering;
use paging::Gfn;
use virtio::mmio::Effect;

/// The guest touched an address that is not mapped.
pub fn nested_fault(
    vcpu: &Arc<Vcpu>,
    domain: &Arc<Domain>,
    guest: &Guest,
    context: &mut Context,
    fault: NestedFault,
) -> Next {
    if is_device(fault.address) {
        return domain::access(vcpu, domain, context, fault, &mut View { domain, guest });
    }
    let gfn = Gfn(fault.address >> 12);
    let result = fault_in(vcpu, domain, guest, gfn);
    if result == Touched::Arriving {
        return Next::Waiting;
    }
    match result {
        Touched::Frame(_) => {
            guest.demand_zero.fetch_add(1, Ordering::Relaxed);
            reclaim(domain, guest);
            Next::Continue
        }
        Touched::Outside => {
            let kind = if fault.fetch {
                "executed"
            } else if fault.write {
                "wrote"
            } else {
                "read"
            };
            crate::log::warn!("domain {} {kind} {:#x} (mapped: {})", domain.id, fault.address, fault.present);
            domain::end(domain, context, Reason::BadAddress, fault.address)
        }
        _ => {
            domain.end(End { reason: Reason::OutOfMemory, detail: gfn.0 });
            Next::Ended
        }
    }
}

/// Makes a page resident, or the vCPU wait for it, before an instruction is emulated again.
pub fn bring_in(vcpu: &Vcpu, domain: &Arc<Domain>, gfn: u64) -> Next {
    let Some(guest) = domain.guest() else { return Next::Continue };
    match fault_in(vcpu, domain, guest, Gfn(gfn)) {
        Touched::NoFrame => {
            domain.end(End { reason: Reason::OutOfMemory, detail: gfn });
            Next::Ended
        }
        Touched::Arriving => Next::Waiting,
        _ => Next::Continue,
    }
}

/// Makes the page resident, or the vCPU wait for it ([`Touched::Arriving`]).
fn fault_in(vcpu: &Vcpu, domain: &Arc<Domain>, guest: &Guest, gfn: Gfn) -> Touched {
    if guest.memory.lock().is_full() {
        reclaim(domain, guest);
    }
    let mut memory = guest.memory.lock();
    if memory.must_wait(gfn) {
        vcpu.waiting.for_room();
        return Touched::Arriving;
    }
    match memory.touch(gfn) {
        // The page may have come in, or stayed, without a table for its translation.
        Touched::Frame(mfn) if !memory.map_resident(gfn, mfn) => Touched::NoFrame,
        Touched::Frame(mfn) => {
            memory.merge_ripe(domain);
            Touched::Frame(mfn)
        }
        Touched::Swapped(block) => {
            if memory.ask(domain, gfn, block, Need::Touch) {
                vcpu.waiting.for_page(gfn);
            } else {
                // dom0's next doorbell or answer makes room to ask.
                vcpu.waiting.for_room();
                guest.stalled.store(true, Ordering::Release);
            }
            Touched::Arriving
        }
        Touched::Arriving => {
            vcpu.waiting.for_page(gfn);
            Touched::Arriving
        }
        other => other,
    }
}

/// A guest's devices, for its instructions.
pub(super) struct View<'a> {
    pub domain: &'a Arc<Domain>,
    pub guest: &'a Guest,
}

/// Slot and offset of an address among the virtio devices.
fn slot(address: u64) -> Option<(usize, u64)> {
    let offset = address.checked_sub(VIRTIO_BASE)?;
    let slot = offset / VIRTIO_STRIDE;
    (slot < VIRTIO_SLOTS.into()).then_some((slot as usize, offset % VIRTIO_STRIDE))
}

/// True for a register of a guest's devices.
pub fn is_device(address: u64) -> bool {
    address & !0xfff == IOAPIC_BASE || slot(address).is_some()
}

impl Devices for View<'_> {
    fn claims(&self, address: u64) -> bool {
        is_device(address)
    }

    fn read(&mut self, address: u64, width: u32) -> u64 {
        if let Some((slot, offset)) = slot(address) {
            let devices = self.guest.devices.lock();
            return devices.devices[slot].as_ref().map_or(0, |device| device.read(offset, width as usize));
        }
        self.guest.io_apic.lock().read(address & 0xfff, width as usize).into()
    }

    fn write(&mut self, address: u64, width: u32, value: u64) {
        if let Some((slot, offset)) = slot(address) {
            self.write_virtio(slot, offset, width, value);
            return;
        }
        let written = self.guest.io_apic.lock().write(address & 0xfff, width as usize, value as u32);
        match written {
            Written::Nothing => {}
            Written::Entry { delivery, .. } => delivery.iter().for_each(|one| domain::deliver(self.domain, None, one)),
            Written::Eoi(vector) => end_of_interrupt(self.domain, self.guest, vector),
        }
    }
}

impl View<'_> {
    fn write_virtio(&mut self, slot: usize, offset: u64, width: u32, value: u64) {
        let work = {
            let mut all = self.guest.devices.lock();
            let Some(device) = all.devices[slot].as_mut() else { return };
            let effect = device.write(offset, width as usize, value);
            let (ready, queues) = (device.ready(), device.queues());
            match effect {
                Effect::Notify(queue) => {
                    all.notified[slot] |= 1 << queue;
                    true
                }
                Effect::StatusChanged if ready => {
                    all.notified[slot] = ((1u16 << queues) - 1) as u8;
                    all.untold.ready |= 1 << slot;
                    true
                }
                Effect::Reset => {
                    all.forget(slot, None);
                    all.untold.reset |= 1 << slot;
                    all.untold.ready &= !(1 << slot);
                    true
                }
                Effect::QueueDisabled(queue) => {
                    all.forget(slot, Some(queue));
                    false
                }
                _ => false,
            }
        };
        if work {
            pump(self.domain);
        }
    }
}
