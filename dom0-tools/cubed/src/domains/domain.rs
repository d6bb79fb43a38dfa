//! A live domain.

use super::Record;
use super::record::DiskRecord;
use protocol::{DeviceCounters, DeviceKind};
use std::collections::BTreeMap;
use std::time::Instant;

/// A domain of the hypervisor's, with what its devices stand for.
#[derive(Debug)]
pub struct Domain {
    /// What is written down of it.
    pub record: Record,
    /// Its devices by slot.
    pub devices: BTreeMap<u32, Device>,
    /// Since when this daemon knows it.
    pub since: Instant,
    /// It is being torn down.
    pub dying: bool,
    /// How often the hypervisor was asked to go on with that.
    pub tries: u32,
    /// Its end has been seen and written down.
    pub ended: bool,
}

/// A device.
#[derive(Debug)]
pub struct Device {
    /// Kind.
    pub kind: DeviceKind,
    /// Of a disk.
    pub disk: Option<DiskRecord>,
    /// The guest's driver is ready.
    pub ready: bool,
    /// What it did; a console's are kept with the console.
    pub counters: DeviceCounters,
}

impl Domain {
    /// From its record.
    #[must_use]
    pub fn new(record: Record, now: Instant) -> Self {
        let device = |device: &super::record::DeviceRecord| {
            let counters = DeviceCounters::default();
            (device.slot, Device { kind: device.kind, disk: device.disk.clone(), ready: false, counters })
        };
        let devices = record.devices.iter().map(device).collect();
        Self { record, devices, since: now, dying: false, tries: 0, ended: false }
    }

    /// Its disks.
    pub fn disks(&self) -> impl Iterator<Item = &DiskRecord> {
        self.devices.values().filter_map(|device| device.disk.as_ref())
    }
}
