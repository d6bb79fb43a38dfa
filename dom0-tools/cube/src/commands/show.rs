//! `cube show`.

use super::list::{state, word};
use crate::client::{Client, Result, unexpected};
use crate::output::Output;
use crate::table::{pairs, table};
use crate::units::{size, time};
use protocol::{Device, Domain, Payload, Request};
use std::path::PathBuf;

/// Everything about one domain.
pub fn show(out: &mut Output, mut client: Client, name: &str) -> Result<()> {
    let payload = client.call(Request::Show { name: name.to_owned() })?;
    let Payload::Domain(domain) = &payload else { return Err(unexpected(&payload)) };
    out.put(&payload, || text(domain));
    Ok(())
}

fn text(domain: &Domain) -> String {
    let summary = &domain.summary;
    let path = |path: &Option<PathBuf>| path.as_ref().map_or_else(|| "-".to_owned(), |path| path.display().to_string());
    let switch = |on: bool| if on { "on" } else { "off" };
    let mut rows =
        vec![("name", summary.name.clone()), ("identifier", summary.id.to_string()), ("state", state(summary))];
    if !domain.reason_text.is_empty() {
        rows.push(("reason", domain.reason_text.clone()));
    }
    rows.extend([
        ("vcpus", summary.vcpus.to_string()),
        ("cpu time", time(summary.cpu_time_ns)),
        ("memory", size(summary.memory_bytes)),
        ("limit", size(summary.limit_bytes)),
        ("resident", size(summary.resident_bytes)),
        ("swapped", size(summary.swapped_bytes)),
        ("balloon", format!("{} of {}", size(domain.ballooned_bytes), size(domain.balloon_target_bytes))),
        ("tables", size(domain.tables_bytes)),
        (
            "reconcile",
            format!(
                "r1 {}, r2 {}, r3 {}",
                switch(domain.reconcile.r1),
                switch(domain.reconcile.r2),
                switch(domain.reconcile.r3)
            ),
        ),
        ("on_reboot", word(&domain.on_reboot)),
        ("on_crash", word(&domain.on_crash)),
        ("restarts", domain.restarts.to_string()),
        ("file", path(&domain.file)),
        ("kernel", path(&domain.kernel)),
        ("initrd", path(&domain.initrd)),
        ("cmdline", domain.cmdline.clone().unwrap_or_default()),
    ]);
    let mut text = pairs(&rows);
    if !domain.devices.is_empty() {
        let heading = [">SLOT", "DEVICE", "DRIVER", "SERIAL", ">SIZE", "PATH"];
        text.push_str("\n\n");
        text.push_str(&table(&heading, domain.devices.iter().map(device).collect()));
    }
    text
}

fn device(device: &Device) -> Vec<String> {
    let path = device.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    vec![
        device.slot.to_string(),
        word(&device.kind),
        if device.ready { "ready" } else { "none" }.to_owned(),
        device.serial.clone().unwrap_or_default(),
        device.size_bytes.map(size).unwrap_or_default(),
        if device.readonly && !path.is_empty() { format!("{path} (read only)") } else { path },
    ]
}
