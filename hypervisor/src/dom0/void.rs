//! What dom0 meets where the hypervisor's memory is: nothing. Reads give ones and writes are lost, as on a bus
//! that nobody answers on. Linux comes here by itself: a word that is read up to the end of memory, /dev/mem,
//! a search for tables.
//!
//! What cannot be answered so ends a program of dom0 with a general protection fault, and dom0 itself for
//! good: repeated for ever, it would only hide what is wrong.

use super::space;
use crate::domain::{self, Context, Devices, Domain, Next, Reason, Vcpu};
use crate::vcpu::{Event, NestedFault};
use alloc::sync::Arc;

struct Void;

impl Devices for Void {
    fn read(&mut self, _: u64, _: u32) -> u64 {
        u64::MAX
    }
    fn write(&mut self, _: u64, _: u32, _: u64) {}
    fn claims(&self, address: u64) -> bool {
        space::is_void(address)
    }
}

/// dom0 touched such an address.
pub fn access(vcpu: &Arc<Vcpu>, domain: &Arc<Domain>, context: &mut Context, fault: NestedFault) -> Next {
    let (address, rip, cpl) = (fault.address, context.registers.rip, context.backend.mode().cpl);
    let kind = match fault {
        NestedFault { fetch: true, .. } => "executes",
        NestedFault { write: true, .. } => "writes",
        _ => "reads",
    };
    crate::log::warn_limited!("dom0 {kind} {address:#x}, which is the hypervisor's (at {rip:#x}, ring {cpl})");
    match fault.fetch {
        false => domain::access(vcpu, domain, context, fault, &mut Void),
        true if cpl == 3 => {
            context.backend.inject(Event::Exception(13, Some(0)));
            Next::Continue
        }
        true => domain::end(domain, context, Reason::BadAddress, address),
    }
}
