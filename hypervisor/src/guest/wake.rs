//! Waking vCPUs that wait for memory: each only when what it waits for has come.

use crate::domain::{Domain, Vcpu};
use alloc::sync::Arc;
use paging::Gfn;

fn wake(domain: &Domain, waited: impl Fn(&Arc<Vcpu>) -> bool) {
    domain.vcpus().iter().filter(|vcpu| waited(vcpu)).for_each(Vcpu::notify);
}

/// A page has come.
pub fn page_came(domain: &Domain, gfn: Gfn) {
    wake(domain, |vcpu| vcpu.waiting.take_page(gfn));
}

/// A page has left, the limit has changed, or dom0 can be asked again.
pub fn room_came(domain: &Domain) {
    wake(domain, |vcpu| vcpu.waiting.take_room());
}

/// Everybody looks again.
pub fn all(domain: &Domain) {
    wake(domain, |vcpu| vcpu.waiting.take_any());
}
