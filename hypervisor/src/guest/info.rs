//! What dom0 is told about a guest.

use super::balloon;
use crate::domain::Domain;
use abi::domain::{DomainInfo, ExitCounters};
use core::sync::atomic::Ordering;
use pages::state::StateKind;
use zerocopy::{FromBytes, FromZeros};

/// `DOMAIN_INFO`; `None` if the domain is not a guest.
pub fn info(domain: &Domain) -> Option<DomainInfo> {
    let guest = domain.guest()?;
    if !domain.has_ended() {
        balloon::ask_statistics(domain, guest);
    }
    let mut info = DomainInfo::new_zeroed();
    let (reason, detail) = domain.end_reason();
    info.domain = domain.id;
    info.state = guest.state.load(Ordering::Acquire);
    info.reason = reason;
    info.detail = detail;
    info.vcpus = guest.vcpus;
    info.flags = guest.flags.load(Ordering::Relaxed);
    info.name = guest.name;
    {
        let slots = guest.devices.lock();
        info.live_requests = slots.live.len() as u64;
        info.balloon_stats = slots.balloon.latest().0;
        info.balloon_target = slots.balloon_target;
    }
    let memory = guest.memory.lock();
    let counts = memory.p2m.counts();
    info.memory = memory.pages;
    info.limit = memory.limit;
    info.resident = counts.frames();
    info.swapped = counts.of(StateKind::Swapped);
    info.ballooned = counts.of(StateKind::Ballooned);
    info.in_flight = counts.in_flight();
    info.tables = memory.p2m.tables() + memory.nested.tables();
    let swap = &memory.swap;
    info.swap_in = swap.ins;
    info.swap_in_for_io = swap.ins_for_io;
    info.swap_in_for_write = swap.ins_for_write;
    info.swap_in_around = swap.ins_around;
    info.swap_out_bytes = swap.out_bytes;
    info.zero_drops = swap.zero_drops;
    info.r1_hits = swap.r1_hits;
    info.r2_drops = swap.r2_drops;
    info.r3_fresh = swap.r3_fresh;
    info.cancelled = swap.cancelled;
    info.worst_wait = swap.worst_wait;
    info.total_wait = swap.total_wait;
    info.large_pages = memory.nested.large();
    info.merges = memory.nested.merges;
    info.splits = memory.nested.splits;
    drop(memory);
    info.cpu_time = domain.cpu_time.load(Ordering::Relaxed);
    info.demand_zero = guest.demand_zero.load(Ordering::Relaxed);
    let mut exits = [0u8; 80];
    for (chunk, counter) in exits.chunks_mut(8).zip(&domain.exits) {
        chunk.copy_from_slice(&counter.load(Ordering::Relaxed).to_le_bytes());
    }
    info.exits = ExitCounters::read_from_bytes(&exits).unwrap_or_default();
    Some(info)
}
