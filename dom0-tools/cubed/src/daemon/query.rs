//! What clients are told: lists, one domain, counters.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::Refused;
use abi::domain::DomainFlags;
use protocol::{
    Device, DeviceCounters, DeviceKind, DeviceStats, Domain, ErrorCode, Failure, Host, Stats, Summary, VersionInfo,
};

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::By(error) => error.into(),
            Refused::Lost(lost) => Self::new(ErrorCode::NoHypervisor, lost.what(), lost.hint()),
        }
    }
}

impl<H: Hypervisor> Daemon<H> {
    /// The live domain of that name or identifier.
    pub(super) fn find(&self, name: &str) -> Result<u32, Failure> {
        let id = name.parse().ok();
        let found = self.domains.iter().find(|(key, domain)| domain.record.name == name || Some(**key) == id);
        found.map(|(id, _)| *id).ok_or_else(|| {
            let message = format!("there is no domain {name}");
            let hint = if self.ends.find(name).is_some() {
                format!("it has ended; `cube show {name}` tells why")
            } else {
                "`cube list` shows the domains".to_owned()
            };
            Failure::new(ErrorCode::NoSuchDomain, message, hint)
        })
    }

    pub(super) fn versions(&mut self) -> VersionInfo {
        let host = self.host_info().ok().map(|info| Host::from(&info));
        VersionInfo {
            protocol: protocol::VERSION,
            daemon: env!("CARGO_PKG_VERSION").to_owned(),
            abi: abi::VERSION,
            hypervisor_abi: host.as_ref().map(|host| host.abi),
            hypervisor: host.map(|host| host.hypervisor),
        }
    }

    pub(super) fn list(&mut self) -> Result<Vec<Summary>, Failure> {
        let ids: Vec<u32> = self.domains.keys().copied().collect();
        let mut list = Vec::with_capacity(ids.len());
        for id in ids {
            match self.info(id) {
                Ok(info) => list.push(Summary::from(&info)),
                Err(Refused::By(abi::Error::NotFound)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(list)
    }

    /// All about a live domain.
    pub(super) fn show(&mut self, id: u32) -> Result<Domain, Failure> {
        let info = self.info(id)?;
        let summary = Summary::from(&info);
        let reconcile = DomainFlags::from_bits_truncate(info.flags).into();
        let memory = protocol::Memory::from(&info);
        let domain = self.domains.get(&id).ok_or(abi::Error::NotFound)?;
        let record = &domain.record;
        let known = !record.text.is_empty();
        Ok(Domain {
            reason_text: summary.reason.text(summary.detail),
            file: known.then(|| record.file.clone()),
            kernel: known.then(|| record.kernel.clone()),
            initrd: record.initrd.clone(),
            cmdline: known.then(|| record.cmdline.clone()),
            on_reboot: record.on_reboot,
            on_crash: record.on_crash,
            restarts: record.restarts,
            reconcile,
            ballooned_bytes: memory.ballooned_bytes,
            balloon_target_bytes: memory.balloon_target_bytes,
            tables_bytes: memory.tables_bytes,
            devices: domain.devices.iter().map(|(slot, device)| describe(*slot, device)).collect(),
            summary,
        })
    }

    pub(super) fn stats(&mut self, id: u32) -> Result<Stats, Failure> {
        let time = self.host_info()?.uptime;
        let info = self.info(id)?;
        let mut stats = Stats::from_abi(&info, time);
        let domain = self.domains.get(&id).ok_or(abi::Error::NotFound)?;
        let name = &domain.record.name;
        for (slot, device) in &domain.devices {
            let counters: DeviceCounters = match device.kind {
                DeviceKind::Console => self.consoles.get(name).map(|console| console.counters).unwrap_or_default(),
                _ => device.counters,
            };
            let serial = device.disk.as_ref().map(|disk| disk.serial.clone());
            stats.devices.push(DeviceStats { slot: *slot, kind: device.kind, serial, counters });
        }
        self.disks.count(id, domain, &mut stats.counters);
        Ok(stats)
    }
}

fn describe(slot: u32, device: &crate::domains::Device) -> Device {
    let disk = device.disk.as_ref();
    Device {
        slot,
        kind: device.kind,
        ready: device.ready,
        serial: disk.map(|disk| disk.serial.clone()),
        path: disk.map(|disk| disk.path.clone()),
        readonly: disk.is_some_and(|disk| disk.readonly),
        size_bytes: disk.map(|disk| disk.sectors * 512),
    }
}
