//! Counters.

use super::units::{bytes, text};
use crate::{BalloonStats, Counters, Exits, Memory, State, Stats};
use abi::domain::{DomainInfo, ExitCounters};

impl From<&DomainInfo> for Memory {
    fn from(info: &DomainInfo) -> Self {
        Self {
            memory_bytes: bytes(info.memory),
            limit_bytes: bytes(info.limit),
            resident_bytes: bytes(info.resident),
            swapped_bytes: bytes(info.swapped),
            ballooned_bytes: bytes(info.ballooned),
            in_flight_bytes: bytes(info.in_flight),
            balloon_target_bytes: bytes(info.balloon_target),
            tables_bytes: bytes(info.tables),
        }
    }
}

impl From<&DomainInfo> for Counters {
    /// What the hypervisor counts; what dom0 counts is `None`.
    fn from(info: &DomainInfo) -> Self {
        Self {
            swap_in: info.swap_in,
            swap_in_for_io: info.swap_in_for_io,
            swap_in_for_write: info.swap_in_for_write,
            swap_in_around: info.swap_in_around,
            swap_out_bytes: info.swap_out_bytes,
            zero_drops: info.zero_drops,
            demand_zero: info.demand_zero,
            cancelled: info.cancelled,
            r1_offers: info.r1_hits,
            r2_drops: info.r2_drops,
            r3_fresh: info.r3_fresh,
            large_pages: info.large_pages,
            merges: info.merges,
            splits: info.splits,
            worst_wait_ns: info.worst_wait,
            total_wait_ns: info.total_wait,
            ..Self::default()
        }
    }
}

impl From<&ExitCounters> for Exits {
    fn from(e: &ExitCounters) -> Self {
        Self {
            cpuid: e.cpuid,
            msr: e.msr,
            port: e.port,
            halt: e.halt,
            hypercall: e.hypercall,
            mmio: e.mmio,
            fault: e.fault,
            interrupt: e.interrupt,
            window: e.window,
            other: e.other,
        }
    }
}

impl BalloonStats {
    /// From the values by tag, `u64::MAX` where not reported; `None` if no tag was.
    #[must_use]
    pub fn from_abi(tags: &[u64; 16]) -> Option<Self> {
        let known = tags.map(|value| (value != u64::MAX).then_some(value));
        if known.iter().all(Option::is_none) {
            return None;
        }
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = known;
        Some(Self {
            swap_in_bytes: a,
            swap_out_bytes: b,
            major_faults: c,
            minor_faults: d,
            free_bytes: e,
            total_bytes: f,
            available_bytes: g,
            caches_bytes: h,
            hugetlb_allocations: i,
            hugetlb_failures: j,
            oom_kills: k,
            allocation_stalls: l,
            async_scans: m,
            direct_scans: n,
            async_reclaims: o,
            direct_reclaims: p,
        })
    }
}

impl Stats {
    /// What the hypervisor knows; the daemon adds `devices` and its own `counters`.
    #[must_use]
    pub fn from_abi(info: &DomainInfo, time_ns: u64) -> Self {
        Self {
            id: info.domain,
            name: text(&info.name),
            state: State::from_abi(info.state),
            time_ns,
            cpu_time_ns: info.cpu_time,
            vcpus: info.vcpus,
            live_requests: info.live_requests,
            memory: info.into(),
            counters: info.into(),
            exits: (&info.exits).into(),
            balloon: BalloonStats::from_abi(&info.balloon_stats),
            devices: Vec::new(),
        }
    }
}
