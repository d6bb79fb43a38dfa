//! `cube info` and `cube version`.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::pairs;
use crate::units::{size, time};
use protocol::{Payload, Request, VersionInfo};
use serde::Serialize;
use std::path::Path;

/// The host.
pub fn info(out: &mut Output, mut client: Client) -> Result<()> {
    let payload = client.call(Request::Host)?;
    let Payload::Host(host) = &payload else { return Err(unexpected(&payload)) };
    out.put(&payload, || {
        pairs(&[
            ("hypervisor", format!("{} (ABI {})", host.hypervisor, host.abi)),
            ("command line", host.command_line.clone()),
            ("uptime", time(host.uptime_ns)),
            ("processor", format!("{} x {}, {} MHz, {}", host.cpus, host.cpu, host.tsc_hz / 1_000_000, host.backend)),
            ("memory", size(host.ram_bytes)),
            ("dom0", format!("{}, {} vCPUs", size(host.dom0_bytes), host.dom0_vcpus)),
            ("for domains", format!("{}, {} free", size(host.pool_bytes), size(host.free_bytes))),
            ("hypervisor's own", size(host.own_bytes)),
            ("domains", format!("{} of at most {}", host.domains, host.max_domains)),
        ])
    });
    Ok(())
}

#[derive(Serialize)]
struct Versions<'a> {
    cube: &'static str,
    protocol: u32,
    daemon: Option<&'a VersionInfo>,
}

/// The versions of everything that runs; without a daemon, of `cube` alone.
pub fn version(out: &mut Output, socket: &Path) -> Result<()> {
    let payload = match Client::connect(socket) {
        Ok(mut client) => Some(client.call(Request::Version)?),
        Err(_) => None,
    };
    let daemon = match &payload {
        Some(Payload::Version(version)) => Some(version),
        Some(other) => return Err(unexpected(other)),
        None => None,
    };
    let versions = Versions { cube: env!("CARGO_PKG_VERSION"), protocol: protocol::VERSION, daemon };
    out.put(&versions, || {
        let mut rows = vec![("cube", format!("{} (protocol {})", versions.cube, versions.protocol))];
        match daemon {
            Some(v) => {
                rows.push(("cubed", format!("{} (protocol {}, ABI {})", v.daemon, v.protocol, v.abi)));
                rows.push((
                    "hypervisor",
                    match (&v.hypervisor, v.hypervisor_abi) {
                        (Some(version), Some(abi)) => format!("{version} (ABI {abi})"),
                        _ => "none".to_owned(),
                    },
                ));
            }
            None => rows.push(("cubed", "not reachable".to_owned())),
        }
        pairs(&rows)
    });
    Ok(())
}
