//! The host.

use super::units::{bytes, text};
use crate::Host;
use abi::host::HostInfo;

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
