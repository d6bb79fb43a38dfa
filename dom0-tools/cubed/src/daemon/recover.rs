//! A daemon begins: what an earlier one left is taken up.

use super::consoles::Consoles;
use super::state::SCRATCH;
use super::{Daemon, Settings};
use crate::channel::Hypervisor;
use crate::channel::hypervisor::Refused;
use crate::disks::Disks;
use crate::domains::{Domain, Ends, Record};
use abi::command::op;
use abi::domain::{DomainFlags, DomainInfo, state};
use protocol::Policy;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

impl<H: Hypervisor> Daemon<H> {
    /// A daemon over an attached channel. Domains of an earlier daemon go on; those that it was
    /// building or tearing down are torn down. The first [`Daemon::step`] serves what is live.
    ///
    /// # Errors
    /// As the hypervisor refuses; an unreadable directory is only reported.
    pub fn new(hypervisor: H, disks: Disks, settings: Settings, now: Instant) -> Result<Self, Refused> {
        let scratch = hypervisor.pool().take(SCRATCH).ok_or(abi::Error::NoMemory)?;
        let mut daemon = Self {
            hypervisor,
            scratch,
            ends: Ends::new(settings.dir.ends()),
            consoles: Consoles::new(settings.dir.clone()),
            dir: settings.dir,
            wake: settings.wake,
            domains: BTreeMap::new(),
            creations: Vec::new(),
            waiters: Vec::new(),
            outputs: Vec::new(),
            deferred: VecDeque::new(),
            disks,
            lost: None,
            now,
        };
        daemon.recover()?;
        Ok(daemon)
    }

    fn recover(&mut self) -> Result<(), Refused> {
        let mut records: BTreeMap<u32, Record> = match self.dir.records() {
            Ok(records) => records.into_iter().map(|record| (record.id, record)).collect(),
            Err(error) => {
                tracing::error!(%error, "the records of domains cannot be read: domains go on without their disks");
                BTreeMap::new()
            }
        };
        let ids = self.list_domains()?;
        for disk in records.values().flat_map(|record| &record.devices).filter_map(|device| device.disk.as_ref()) {
            self.disks.reserve(disk.unit);
        }
        for id in &ids {
            let info = self.info(*id)?;
            let record = records.remove(id).filter(|record| record.name == protocol::convert::text(&info.name));
            self.adopt(*id, &info, record);
        }
        self.disks.open_known();
        for id in ids {
            self.restore_pages(id)?;
            self.go_on(id)?;
        }
        // Records of another boot of the hypervisor, or of domains that went while nobody looked.
        for id in records.into_keys() {
            self.dir.remove(id);
        }
        self.disks.retire_unused();
        Ok(())
    }

    fn adopt(&mut self, id: u32, info: &DomainInfo, record: Option<Record>) {
        let known = record.is_some();
        let record = record.unwrap_or_else(|| stranger(id, info));
        tracing::info!(domain = id, name = record.name, known, "a domain of an earlier daemon");
        let unfinished = info.state == state::DYING || record.killed || !record.built;
        let mut domain = Domain::new(record, self.now);
        domain.dying = unfinished;
        domain.ended = unfinished;
        if info.limit < info.memory && !unfinished && !self.disks.has_store() {
            tracing::error!(
                domain = id,
                name = domain.record.name,
                "its limit is below its memory, and this cubed has no store: at its limit it waits for a cubed with its store"
            );
        }
        self.consoles.open(&domain.record.name).set_virtio(domain.record.virtio_console);
        for disk in domain.disks() {
            self.disks.adopt(id, disk);
        }
        self.domains.insert(id, domain);
        self.disks.set_switches(id, DomainFlags::from_bits_truncate(info.flags).into());
    }

    /// A domain that was complete and to be started, but was not yet.
    fn go_on(&mut self, id: u32) -> Result<(), Refused> {
        let waits = self.domains.get(&id).is_some_and(|domain| !domain.dying && !domain.record.paused);
        if waits && self.info(id)?.state == state::BUILDING {
            self.simple(op::START, id, [])?;
        }
        Ok(())
    }

    /// Tells the map of the swapped pages of a domain.
    fn restore_pages(&mut self, id: u32) -> Result<(), Refused> {
        let (mut first, mut lost) = (0, 0u64);
        while first != u64::MAX {
            let (pages, next) = match self.list_swapped(id, first) {
                // It is being torn down: nobody asks for its pages any more.
                Err(Refused::By(abi::Error::NotFound)) => break,
                listed => listed?,
            };
            for page in &pages {
                lost += u64::from(!self.disks.restore_page(id, page.page, page.block));
            }
            // Never back: a list without an end would keep the daemon from its guests.
            first = next.max(first + 1);
        }
        if lost > 0 {
            tracing::error!(
                domain = id,
                pages = lost,
                "swapped pages are not in this store: was cubed started with another?"
            );
        }
        Ok(())
    }
}

/// A domain of which nothing was written down.
fn stranger(id: u32, info: &DomainInfo) -> Record {
    Record {
        id,
        name: protocol::convert::text(&info.name),
        file: Default::default(),
        text: String::new(),
        kernel: Default::default(),
        initrd: None,
        cmdline: String::new(),
        on_reboot: Policy::Destroy,
        on_crash: Policy::Keep,
        restarts: 0,
        built: info.state != state::BUILDING,
        paused: true,
        killed: false,
        virtio_console: false,
        devices: Vec::new(),
    }
}
