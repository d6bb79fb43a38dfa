//! Starts `cubed` when the kernel sees the hypervisor's service channel among its PCI devices.

use crate::{parameter, reap::Reaper};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

/// PCI vendor and device of the service channel, as sysfs prints them.
const CHANNEL: (&str, &str) = ("0x4843", "0x0001");
/// The daemon's command line: it returns once the daemon serves.
const DAEMON: (&str, &str) = ("/usr/bin/cubed", "--daemon");
/// Where its messages go.
const LOG: &str = "/var/log/cubed.log";
/// How long it may take to serve.
const PATIENCE: Duration = Duration::from_secs(10);

/// Starts it and waits until it serves; its failure leaves dom0 usable.
pub fn start_if_hypervisor(reaper: &Reaper) {
    if !hypervisor_is_present() {
        return;
    }
    match start(reaper) {
        Ok(Some(0)) => {}
        Ok(Some(status)) => crate::say(&format!("cubed ended with status {status}; see {LOG}")),
        Ok(None) => crate::say(&format!("cubed is not ready after {PATIENCE:?}; see {LOG}")),
        Err(error) => crate::say(&format!("{}: {error}", DAEMON.0)),
    }
}

fn start(reaper: &Reaper) -> std::io::Result<Option<i32>> {
    let log = fs::File::create(LOG)?;
    let mut command = Command::new(DAEMON.0);
    command.arg(DAEMON.1);
    if let Some(store) = parameter::value(parameter::STORE) {
        command.args(["--store", &store]);
    }
    let child =
        crate::shell::environment(&mut command).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?;
    Ok(reaper.wait(child.id(), Some(PATIENCE)))
}

fn hypervisor_is_present() -> bool {
    let Ok(devices) = fs::read_dir("/sys/bus/pci/devices") else {
        return false;
    };
    devices.flatten().any(|device| {
        reads(&device.path().join("vendor"), CHANNEL.0) && reads(&device.path().join("device"), CHANNEL.1)
    })
}

fn reads(path: &Path, value: &str) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.trim() == value)
}
