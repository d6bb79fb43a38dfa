//! `cube doctor`: looks for what is wrong, from the hypervisor up.

use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::table;
use crate::units::size;
use protocol::{ErrorCode, Exit, Failure, Payload, Request, State};
use serde::Serialize;
use std::fs;
use std::path::Path;

#[derive(Serialize)]
struct Report {
    ok: bool,
    checks: Vec<Finding>,
}

/// What one check found.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    status: Status,
    message: String,
    hint: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Ok,
    Warning,
    Failed,
}

/// Runs all checks. Fails with [`Exit::NoHypervisor`] if that or the daemon is missing, else with
/// [`Exit::Failed`] if any check failed; warnings do not fail.
pub fn doctor(out: &mut Output, socket: &Path) -> Exit {
    let mut checks = vec![hypervisor(Path::new("/sys/bus/pci/devices"))];
    match Client::connect(socket) {
        Ok(mut client) => {
            checks.push(fine("daemon", format!("cubed answers on {}", socket.display())));
            for (check, run) in CHECKS {
                checks.push(run(&mut client).unwrap_or_else(|failure| failed(check, failure)));
            }
        }
        Err(failure) => checks.push(failed("daemon", failure)),
    }
    let ok = checks.iter().all(|finding| finding.status != Status::Failed);
    let missing = checks.iter().any(|f| f.status == Status::Failed && matches!(f.check, "hypervisor" | "daemon"));
    let report = Report { ok, checks };
    out.put(&report, || text(&report));
    if ok {
        Exit::Ok
    } else if missing {
        Exit::NoHypervisor
    } else {
        Exit::Failed
    }
}

type Check = fn(&mut Client) -> Result<Finding>;
const CHECKS: [(&str, Check); 5] =
    [("versions", versions), ("memory", memory), ("store", store), ("domains", domains), ("disks", disks)];

fn text(report: &Report) -> String {
    let row = |finding: &Finding| {
        let status = match finding.status {
            Status::Ok => "ok",
            Status::Warning => "WARNING",
            Status::Failed => "FAILED",
        };
        let hint = finding.hint.as_ref().map(|hint| format!("\n-> {hint}")).unwrap_or_default();
        vec![finding.check.to_owned(), status.to_owned(), format!("{}{hint}", finding.message)]
    };
    table(&["CHECK", "STATUS", "FOUND"], report.checks.iter().map(row).collect())
}

fn fine(check: &'static str, message: impl Into<String>) -> Finding {
    Finding { check, status: Status::Ok, message: message.into(), hint: None }
}

fn warn(check: &'static str, message: impl Into<String>, hint: &str) -> Finding {
    Finding { check, status: Status::Warning, message: message.into(), hint: Some(hint.to_owned()) }
}

fn failed(check: &'static str, failure: Failure) -> Finding {
    Finding { check, status: Status::Failed, message: failure.message, hint: failure.hint }
}

/// The hypervisor shows dom0 a PCI function; its driver must be one for user space.
fn hypervisor(devices: &Path) -> Finding {
    let found = fs::read_dir(devices).into_iter().flatten().flatten().map(|entry| entry.path()).find(|device| {
        let is = |file: &str, wanted: u16| {
            let text = fs::read_to_string(device.join(file)).unwrap_or_default();
            u16::from_str_radix(text.trim().trim_start_matches("0x"), 16) == Ok(wanted)
        };
        is("vendor", abi::channel::PCI_VENDOR) && is("device", abi::channel::PCI_DEVICE)
    });
    let Some(device) = found else {
        let hint = "boot dom0 by the hypervisor (see docs/building.md); this Linux runs without it, or is not dom0";
        return failed("hypervisor", Failure::new(ErrorCode::NoHypervisor, "there is no service channel", hint));
    };
    let name = device.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match fs::read_link(device.join("driver"))
        .ok()
        .and_then(|link| Some(link.file_name()?.to_string_lossy().into_owned()))
    {
        Some(driver) if driver == "uio_pci_generic" || driver == "vfio-pci" => {
            fine("hypervisor", format!("service channel {name}, driver {driver}"))
        }
        _ => warn(
            "hypervisor",
            format!("service channel {name} has no driver"),
            "load uio_pci_generic and start cubed, which binds it",
        ),
    }
}

fn versions(client: &mut Client) -> Result<Finding> {
    let v = match client.call(Request::Version)? {
        Payload::Version(version) => version,
        other => return Err(unexpected(&other)),
    };
    let mismatch = |message: String| {
        Failure::new(ErrorCode::VersionMismatch, message, "boot the hypervisor and install cube and cubed of one build")
    };
    if v.protocol != protocol::VERSION {
        return Err(mismatch(format!("cubed speaks protocol {}, cube speaks {}", v.protocol, protocol::VERSION)));
    }
    match (v.hypervisor, v.hypervisor_abi) {
        (Some(version), Some(abi)) if abi == v.abi => {
            Ok(fine("versions", format!("cubed {}, hypervisor {version}, ABI {abi}", v.daemon)))
        }
        (_, Some(abi)) => Err(mismatch(format!("the hypervisor has ABI {abi}, cubed was built for {}", v.abi))),
        _ => Err(Failure::new(
            ErrorCode::NoHypervisor,
            "cubed has no hypervisor",
            "boot dom0 by the hypervisor, then restart cubed",
        )),
    }
}

fn memory(client: &mut Client) -> Result<Finding> {
    let host = match client.call(Request::Host)? {
        Payload::Host(host) => host,
        other => return Err(unexpected(&other)),
    };
    let message = format!("{} of {} for domains are free", size(host.free_bytes), size(host.pool_bytes));
    if host.free_bytes < host.pool_bytes / 20 {
        return Ok(warn(
            "memory",
            message,
            "lower a memory limit (`cube mem limit`) or stop a domain before creating another",
        ));
    }
    Ok(fine("memory", message))
}

fn store(client: &mut Client) -> Result<Finding> {
    let store = match client.call(Request::Store) {
        Ok(Payload::Store(store)) => store,
        Ok(other) => return Err(unexpected(&other)),
        Err(failure) if failure.code == ErrorCode::Unsupported => return no_store(client, failure),
        Err(failure) => return Err(failure),
    };
    let message =
        format!("{} of {} are used in {}", size(store.used_bytes), size(store.size_bytes), store.path.display());
    if store.errors > 0 {
        let message = format!("{message}; {} errors", store.errors);
        return Ok(warn("store", message, "look for errors of the disk in dom0's log (`dmesg`), and replace it"));
    }
    if store.used_bytes > store.size_bytes / 10 * 9 {
        return Ok(warn("store", message, "give cubed a larger store; when it is full, domains at their limit wait"));
    }
    Ok(fine("store", message))
}

/// A host may do without a store, but not domains whose limits are below their memory.
fn no_store(client: &mut Client, missing: Failure) -> Result<Finding> {
    let domains = match client.call(Request::List)? {
        Payload::Domains { domains } => domains,
        other => return Err(unexpected(&other)),
    };
    let limited: Vec<&str> =
        domains.iter().filter(|d| d.limit_bytes < d.memory_bytes).map(|d| d.name.as_str()).collect();
    if limited.is_empty() {
        return Ok(warn("store", missing.message, missing.hint.as_deref().unwrap_or_default()));
    }
    let message = format!("{}, and these domains need one at their limits: {}", missing.message, limited.join(", "));
    Err(Failure { message, ..missing })
}

fn domains(client: &mut Client) -> Result<Finding> {
    let domains = match client.call(Request::List)? {
        Payload::Domains { domains } => domains,
        other => return Err(unexpected(&other)),
    };
    let ended: Vec<&str> = domains
        .iter()
        .filter(|d| d.state == State::Ended && d.reason.is_fault(d.detail))
        .map(|d| d.name.as_str())
        .collect();
    if ended.is_empty() {
        return Ok(fine("domains", format!("{} domains, none ended by a fault", domains.len())));
    }
    let message = format!("ended by a fault: {}", ended.join(", "));
    Ok(warn("domains", message, "`cube show NAME` tells why; `cube kill NAME` removes one"))
}

fn disks(client: &mut Client) -> Result<Finding> {
    let domains = match client.call(Request::List)? {
        Payload::Domains { domains } => domains,
        other => return Err(unexpected(&other)),
    };
    let (mut count, mut gone) = (0, Vec::new());
    for summary in domains {
        // A domain that went between the two calls has no disks to look at.
        let Ok(Payload::Domain(domain)) = client.call(Request::Show { name: summary.name }) else { continue };
        for path in domain.devices.into_iter().filter_map(|device| device.path) {
            count += 1;
            if !path.exists() {
                gone.push(path.display().to_string());
            }
        }
    }
    if gone.is_empty() {
        return Ok(fine("disks", format!("{count} disks, all there")));
    }
    Ok(warn(
        "disks",
        format!("gone: {}", gone.join(", ")),
        "do not move a disk while its domain runs; put it back before the domain ends",
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_service_channel_is_found_by_its_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let device = folder.path().join("0000:00:1f.0");
        assert!(hypervisor(folder.path()).status == Status::Failed);
        fs::create_dir(&device).unwrap();
        fs::write(device.join("vendor"), "0x4843\n").unwrap();
        fs::write(device.join("device"), "0x0002\n").unwrap();
        assert!(hypervisor(folder.path()).status == Status::Failed);
        fs::write(device.join("device"), "0x0001\n").unwrap();
        assert!(hypervisor(folder.path()).status == Status::Warning);
        std::os::unix::fs::symlink("../drivers/uio_pci_generic", device.join("driver")).unwrap();
        assert!(hypervisor(folder.path()).status == Status::Ok);
    }
}
