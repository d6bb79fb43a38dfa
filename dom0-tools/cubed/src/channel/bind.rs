//! Finds the hypervisor's PCI function and gives it the stock driver uio_pci_generic.

use super::{AttachError, sysfs};
use abi::channel::{PCI_DEVICE, PCI_VENDOR};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const DEVICES: &str = "/sys/bus/pci/devices";
const DRIVER: &str = "/sys/bus/pci/drivers/uio_pci_generic";

/// The bound function: its directory in sysfs and its uio device.
#[derive(Debug)]
pub struct Function {
    /// `/sys/bus/pci/devices/SLOT`.
    pub path: PathBuf,
    /// `/dev/uioN`.
    pub uio: PathBuf,
}

/// Finds and binds.
///
/// # Errors
/// [`AttachError::NoFunction`], [`AttachError::Driver`].
pub fn bind() -> Result<Function, AttachError> {
    let path = find(Path::new(DEVICES))?;
    let slot = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !Path::new(DRIVER).exists() {
        modprobe();
    }
    if !bound(&path) {
        if path.join("driver").exists() {
            sysfs::write(&path.join("driver/unbind"), &slot)?;
        }
        sysfs::write(&path.join("driver_override"), "uio_pci_generic")?;
        sysfs::write(Path::new("/sys/bus/pci/drivers_probe"), &slot)?;
    }
    if !bound(&path) {
        return Err(AttachError::Driver { slot, why: "the driver did not take it".into() });
    }
    let uio = uio_device(&path).ok_or(AttachError::Driver { slot, why: "no uio device appeared".into() })?;
    Ok(Function { path, uio })
}

/// The GSI (IO-APIC input) that dom0 expects the function's INTx on.
///
/// # Errors
/// [`AttachError::Interrupt`].
pub fn gsi(function: &Path) -> Result<u32, AttachError> {
    let slot = function.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fail = |why: String| AttachError::Interrupt { slot: slot.clone(), why };
    let irq = sysfs::number(&function.join("irq")).filter(|irq| *irq != 0);
    let irq = irq.ok_or_else(|| fail("no interrupt is routed to it".into()))?;
    let hwirq = sysfs::number(Path::new(&format!("/sys/kernel/irq/{irq}/hwirq")));
    hwirq
        .and_then(|gsi| u32::try_from(gsi).ok())
        .ok_or_else(|| fail(format!("/sys/kernel/irq/{irq}/hwirq has no number")))
}

fn find(devices: &Path) -> Result<PathBuf, AttachError> {
    let entries = std::fs::read_dir(devices).map_err(|_| AttachError::NoFunction)?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| {
            sysfs::number(&path.join("vendor")) == Some(u64::from(PCI_VENDOR))
                && sysfs::number(&path.join("device")) == Some(u64::from(PCI_DEVICE))
        })
        .ok_or(AttachError::NoFunction)
}

fn bound(function: &Path) -> bool {
    std::fs::read_link(function.join("driver")).is_ok_and(|driver| driver.ends_with("uio_pci_generic"))
}

/// The driver may be built in or loaded by init; what comes of this is seen by looking again.
fn modprobe() {
    let _ = Command::new("modprobe").arg("uio_pci_generic").stdin(Stdio::null()).status();
}

/// devtmpfs makes the node when the driver binds; a slow udev may rename or chmod it, so wait a little.
fn uio_device(function: &Path) -> Option<PathBuf> {
    for _ in 0..50 {
        let name = std::fs::read_dir(function.join("uio")).ok().and_then(|mut dir| dir.next()?.ok());
        if let Some(name) = name {
            let node = Path::new("/dev").join(name.file_name());
            if node.exists() {
                return Some(node);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_the_function_by_its_identifiers() {
        let dir = tempfile::tempdir().unwrap();
        for (slot, vendor, device) in [("0000:00:01.0", "0x8086", "0x0001"), ("0000:00:1e.0", "0x4843", "0x0001")] {
            let path = dir.path().join(slot);
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("vendor"), format!("{vendor}\n")).unwrap();
            std::fs::write(path.join("device"), format!("{device}\n")).unwrap();
        }
        assert_eq!(find(dir.path()).unwrap(), dir.path().join("0000:00:1e.0"));
    }

    #[test]
    fn says_so_when_there_is_none() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(find(dir.path()), Err(AttachError::NoFunction)));
    }
}
