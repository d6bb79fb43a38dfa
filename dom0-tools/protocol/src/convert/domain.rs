//! States, switches and the lines of `cube list`.

use super::units::{bytes, text};
use crate::{Reason, Reconcile, State, Summary};
use abi::domain::{DomainFlags, DomainInfo, state};

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

impl From<DomainFlags> for Reconcile {
    fn from(flags: DomainFlags) -> Self {
        Self {
            r1: flags.contains(DomainFlags::R1),
            r2: flags.contains(DomainFlags::R2),
            r3: flags.contains(DomainFlags::R3),
        }
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
