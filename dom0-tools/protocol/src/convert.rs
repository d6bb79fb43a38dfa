//! From the hypervisor's layouts to the conversation's types.

use crate::{BalloonStats, Counters, ErrorCode, Exits, Failure, Host, Memory, Reason, Reconcile, State, Stats, Summary, TraceEntry};
use abi::domain::{DomainFlags, DomainInfo, ExitCounters, reason, state};
use abi::host::{HostInfo, TraceRecord};

const fn bytes(pages: u64) -> u64 {
    pages.saturating_mul(abi::PAGE_SIZE)
}

/// Zero-padded UTF-8 as text; bytes that are none are replaced.
#[must_use]
pub fn text(padded: &[u8]) -> String {
    let end = padded.iter().position(|&b| b == 0).unwrap_or(padded.len());
    String::from_utf8_lossy(padded.get(..end).unwrap_or_default()).into_owned()
}

impl State {
    /// From [`abi::domain::state`]; unknown codes are `Dying`: nothing can be done with such a domain.
    #[must_use]
    pub const fn from_abi(code: u32) -> Self {
        match code {
            state::BUILDING => Self::Building,
            state::RUNNING => Self::Running,
            state::PAUSED => Self::Paused,
            state::ENDED => Self::Ended,
            _ => Self::Dying,
        }
    }
}

impl Reason {
    /// From [`abi::domain::reason`].
    #[must_use]
    pub const fn from_abi(code: u32) -> Self {
        match code {
            reason::NONE => Self::None,
            reason::POWER_OFF => Self::PowerOff,
            reason::RESET => Self::Reset,
            reason::KILLED => Self::Killed,
            reason::TRIPLE_FAULT => Self::TripleFault,
            reason::EMULATION => Self::Emulation,
            reason::BAD_ADDRESS => Self::BadAddress,
            reason::BAD_STATE => Self::BadState,
            reason::UNKNOWN_EXIT => Self::UnknownExit,
            reason::BAD_VIRTQUEUE => Self::BadVirtqueue,
            reason::STORE_ERROR => Self::StoreError,
            reason::OUT_OF_MEMORY => Self::OutOfMemory,
            reason::GUEST_EXIT => Self::GuestExit,
            _ => Self::Unknown,
        }
    }

    /// True if the domain ended by a fault: not by power-off, reset, being killed or an exit code of 0.
    #[must_use]
    pub const fn is_fault(self, detail: u64) -> bool {
        match self {
            Self::None | Self::PowerOff | Self::Reset | Self::Killed => false,
            Self::GuestExit => detail != 0,
            _ => true,
        }
    }

    /// The reason and its detail as a sentence; empty for `None`.
    #[must_use]
    pub fn text(self, detail: u64) -> String {
        match self {
            Self::None => String::new(),
            Self::PowerOff => "the guest powered itself off".to_owned(),
            Self::Reset => "the guest asked for a reset".to_owned(),
            Self::Killed => "killed".to_owned(),
            Self::TripleFault => "triple fault: the guest's own exception handling failed".to_owned(),
            Self::Emulation => format!("an instruction that cannot be emulated accessed the device address {detail:#x}"),
            Self::BadAddress => format!("access to guest-physical address {detail:#x}, where there is neither memory nor a device"),
            Self::BadState => format!("the processor refused the guest's state (code {detail:#x})"),
            Self::UnknownExit => format!("an exit that the hypervisor does not handle (code {detail:#x})"),
            Self::BadVirtqueue => {
                format!("queue {} of the device in slot {} broke the virtio specification", detail & 0xffff_ffff, detail >> 32)
            }
            Self::StoreError => format!("the swap store could not give page {detail:#x} back"),
            Self::OutOfMemory => format!("no memory could be found for page {detail:#x}"),
            Self::GuestExit => format!("the guest ended with exit code {detail}"),
            Self::Unknown => format!("a reason that this version does not know (detail {detail:#x})"),
        }
    }
}

impl From<DomainFlags> for Reconcile {
    fn from(flags: DomainFlags) -> Self {
        Self { r1: flags.contains(DomainFlags::R1), r2: flags.contains(DomainFlags::R2), r3: flags.contains(DomainFlags::R3) }
    }
}

impl From<Reconcile> for DomainFlags {
    fn from(switches: Reconcile) -> Self {
        let mut flags = Self::empty();
        flags.set(Self::R1, switches.r1);
        flags.set(Self::R2, switches.r2);
        flags.set(Self::R3, switches.r3);
        flags
    }
}

impl From<&DomainInfo> for Summary {
    fn from(info: &DomainInfo) -> Self {
        Self {
            id: info.domain,
            name: text(&info.name),
            state: State::from_abi(info.state),
            reason: Reason::from_abi(info.reason),
            detail: info.detail,
            vcpus: info.vcpus,
            memory_bytes: bytes(info.memory),
            limit_bytes: bytes(info.limit),
            resident_bytes: bytes(info.resident),
            swapped_bytes: bytes(info.swapped),
            cpu_time_ns: info.cpu_time,
        }
    }
}

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
            r1_hits: info.r1_hits,
            r2_drops: info.r2_drops,
            r3_fresh: info.r3_fresh,
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

impl From<&HostInfo> for Host {
    fn from(info: &HostInfo) -> Self {
        Self {
            hypervisor: text(&info.version),
            abi: info.abi_version,
            backend: match info.vendor {
                1 => "vmx",
                2 => "svm",
                _ => "unknown",
            }
            .to_owned(),
            cpu: text(&info.cpu),
            cpus: info.cpus,
            dom0_vcpus: info.dom0_vcpus,
            tsc_hz: info.tsc_hz,
            uptime_ns: info.uptime,
            ram_bytes: bytes(info.ram),
            dom0_bytes: bytes(info.dom0),
            pool_bytes: bytes(info.pool),
            free_bytes: bytes(info.free),
            own_bytes: bytes(info.own),
            domains: info.domains,
            max_domains: info.max_domains,
            command_line: text(&info.command_line),
        }
    }
}

impl From<&TraceRecord> for TraceEntry {
    fn from(r: &TraceRecord) -> Self {
        Self { tsc: r.tsc, kind: r.kind, cpu: r.cpu, domain: r.domain, vcpu: r.vcpu, args: r.args }
    }
}

impl From<abi::Error> for Failure {
    /// A refused command as a client is told of it.
    fn from(error: abi::Error) -> Self {
        use abi::Error as E;
        let (code, hint) = match error {
            E::NotFound => (ErrorCode::NoSuchDomain, "`cube list` shows the domains"),
            E::State => (ErrorCode::WrongState, "`cube show NAME` tells the domain's state"),
            E::NoMemory => (ErrorCode::NoResources, "`cube doctor` tells what is free; stop a domain or lower its memory limit"),
            E::Full => (ErrorCode::NoResources, "stop a domain"),
            E::Invalid => (ErrorCode::Usage, "correct the argument"),
            E::Version => (ErrorCode::VersionMismatch, "boot the hypervisor and install the tools of one build"),
            E::Unsupported | E::Unknown => (ErrorCode::Unsupported, "`cube dmesg` may tell more"),
            E::BadBuffer | E::OutsideRequest | E::Again | E::Cancelled | E::Busy => {
                (ErrorCode::Failed, "this is a fault of cubed; `cube dmesg` may tell more")
            }
        };
        Self::new(code, error.text(), hint)
    }
}
