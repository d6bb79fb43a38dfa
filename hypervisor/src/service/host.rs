//! What dom0 is told about the host.

use crate::boot;
use crate::cpu::{self, cpuid, time};
use crate::guest;
use crate::memory::frames;
use crate::vcpu::{Vendor, vendor};
use abi::host::HostInfo;

/// `HOST_INFO`.
pub fn info() -> HostInfo {
    let (free, pool) = frames::counts();
    let facts = boot::facts();
    let (ram, dom0) = facts.map_or((0, 0), |facts| (facts.ram, facts.dom0));
    let mut info = HostInfo {
        abi_version: abi::VERSION,
        vendor: if vendor() == Vendor::Vmx { 1 } else { 2 },
        cpus: cpu::working().len() as u32,
        dom0_vcpus: crate::dom0::domain().map_or(0, |domain| domain.vcpus().len() as u32),
        tsc_hz: time::tsc_hz(),
        uptime: time::since_start_ns(),
        ram,
        dom0,
        pool,
        free,
        own: ram.saturating_sub(dom0 + pool),
        domains: guest::count() as u32,
        max_domains: guest::MAX as u32,
        cpu: [0; 16],
        version: [0; 32],
        command_line: [0; 256],
    };
    put(&mut info.cpu, &cpuid::vendor());
    put(&mut info.version, env!("CARGO_PKG_VERSION").as_bytes());
    put(&mut info.command_line, facts.map_or(&[], |facts| facts.command_line.as_bytes()));
    info
}

/// As much of a text as leaves a zero at its end.
fn put(field: &mut [u8], text: &[u8]) {
    let room = field.len().saturating_sub(1);
    field.iter_mut().zip(text.iter().take(room)).for_each(|(to, &from)| *to = from);
}
