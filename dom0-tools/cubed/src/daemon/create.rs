//! Creating a domain: check and build beside the loop, load as the pieces come, start.

use super::{Client, Daemon, Output};
use crate::channel::Hypervisor;
use crate::channel::hypervisor::Refused;
use crate::domains::build::{Checked, Progress, begin};
use crate::domains::record::{DeviceRecord, DiskRecord};
use crate::domains::{Domain, Record, plan};
use abi::command::op;
use abi::domain::DomainFlags;
use domain_builder::Device;
use protocol::{DeviceKind, ErrorCode, Failure, Payload, Response, Source};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Instant;

/// Pieces that are loaded in one step: 4 MiB.
const PER_STEP: u32 = 8;

/// A domain that is being created.
pub struct Creation {
    /// Who waits for it; `None`: nobody (any more).
    pub client: Option<Client>,
    source: Option<Source>,
    paused: bool,
    restarts: u64,
    not_before: Instant,
    name: Option<String>,
    receiver: Option<Receiver<Progress>>,
    pending: Option<Progress>,
    id: Option<u32>,
}

impl Creation {
    /// As a client wants it.
    pub fn new(client: Client, source: Source, paused: bool, now: Instant) -> Self {
        Self {
            client: Some(client),
            source: Some(source),
            paused,
            restarts: 0,
            not_before: now,
            name: None,
            receiver: None,
            pending: None,
            id: None,
        }
    }

    /// By policy.
    pub fn again(source: Source, name: String, restarts: u64, not_before: Instant) -> Self {
        Self {
            client: None,
            source: Some(source),
            paused: false,
            restarts,
            not_before,
            name: Some(name),
            receiver: None,
            pending: None,
            id: None,
        }
    }

    /// When it begins, if it has not begun.
    pub fn deadline(&self) -> Option<Instant> {
        self.source.as_ref().map(|_| self.not_before)
    }

    /// True if it goes on without an event.
    pub fn busy(&self) -> bool {
        self.pending.is_some()
    }
}

impl<H: Hypervisor> Daemon<H> {
    /// Goes on with all that are being created.
    pub(super) fn create(&mut self) {
        for mut creation in std::mem::take(&mut self.creations) {
            match self.advance(&mut creation) {
                Ok(None) => self.creations.push(creation),
                Ok(Some(payload)) => self.created(&creation, Response::from(payload)),
                Err(failure) => {
                    tracing::warn!(name = creation.name, %failure, "a domain was not created");
                    if let Some(id) = creation.id {
                        self.teardown(id);
                    }
                    self.disks.retire_unused();
                    self.created(&creation, Response::Error(failure));
                }
            }
        }
    }

    /// True if a domain of this name is being created.
    pub(super) fn is_coming(&self, name: &str) -> bool {
        self.creations.iter().any(|creation| creation.name.as_deref() == Some(name))
    }

    /// Gives up building a domain of this name again. False if there is none, or the hypervisor has it already.
    pub(super) fn call_off(&mut self, name: &str) -> bool {
        let before = self.creations.len();
        self.creations.retain(|creation| creation.id.is_some() || creation.name.as_deref() != Some(name));
        let found = self.creations.len() < before;
        if found {
            tracing::info!(name, "not built again: killed");
            self.consoles.close(name);
        }
        found
    }

    fn created(&mut self, creation: &Creation, response: Response) {
        if let Some(client) = creation.client {
            self.outputs.push(Output { client, response });
        }
    }

    fn advance(&mut self, creation: &mut Creation) -> Result<Option<Payload>, Failure> {
        if creation.not_before > self.now {
            return Ok(None);
        }
        if let Some(source) = creation.source.take() {
            creation.receiver = Some(begin(source, self.wake.clone()));
        }
        if let Some(id) = creation.id
            && self.domains.get(&id).is_none_or(|domain| domain.dying)
        {
            creation.id = None;
            return Err(Failure::new(
                ErrorCode::Failed,
                "the domain was killed while it was being created",
                "create it again, if that was not wanted",
            ));
        }
        for _ in 0..PER_STEP {
            let received = match creation.pending.take() {
                Some(progress) => Ok(progress),
                None => creation.receiver.as_ref().map_or(Err(TryRecvError::Disconnected), Receiver::try_recv),
            };
            match received {
                Ok(Progress::Checked(checked)) => self.begin_domain(creation, *checked)?,
                Ok(Progress::Pages { gfn, bytes }) => {
                    if let Some(bytes) = self.load(creation, gfn, bytes)? {
                        creation.pending = Some(Progress::Pages { gfn, bytes });
                        return Ok(None);
                    }
                }
                Ok(Progress::Complete) => return self.complete(creation).map(Some),
                Ok(Progress::Failed(failure)) => return Err(failure),
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => {
                    return Err(bug("the thread that builds the domain has ended"));
                }
            }
        }
        (self.wake)();
        Ok(None)
    }

    fn begin_domain(&mut self, creation: &mut Creation, checked: Checked) -> Result<(), Failure> {
        let Checked { domain, boot, file, text } = checked;
        let taken = self.domains.values().any(|other| other.record.name == domain.name);
        if taken || self.is_coming(&domain.name) {
            let message = format!("a domain of the name {} exists", domain.name);
            return Err(Failure::new(ErrorCode::Exists, message, "stop it first, or give the new one another name"));
        }
        self.check_limit(domain.limit, domain.memory)?;
        creation.name = Some(domain.name.clone());
        let devices = self.attach_disks(&domain)?;

        let mut name = [0; 64];
        for (to, from) in name.iter_mut().zip(domain.name.as_bytes()) {
            *to = *from;
        }
        let name = self.place(&name);
        let pages = |bytes: u64| bytes / abi::PAGE_SIZE;
        let flags = DomainFlags::from(domain.reconcile).bits();
        let args = [u64::from(domain.vcpus), pages(domain.memory), pages(domain.limit), flags, name];
        let id = self.simple(op::CREATE, 0, args).map_err(|error| explain(error, domain.memory))?;
        let id = u32::try_from(id).map_err(|_| abi::Error::Invalid)?;
        creation.id = Some(id);
        for device in devices.iter().filter_map(|device| device.disk.as_ref()) {
            self.disks.enter(id, device.unit);
        }
        self.disks.set_switches(id, domain.reconcile);

        let record = Record {
            id,
            name: domain.name,
            file,
            text,
            kernel: domain.kernel,
            initrd: domain.initrd,
            cmdline: domain.cmdline,
            on_reboot: domain.on_reboot,
            on_crash: domain.on_crash,
            restarts: creation.restarts,
            built: false,
            paused: creation.paused,
            killed: false,
            virtio_console: false,
            devices: devices.clone(),
        };
        self.consoles.open(&record.name);
        self.domains.insert(id, Domain::new(record, self.now));
        self.save(id);
        for device in &devices {
            let (sectors, readonly) = device.disk.as_ref().map_or((0, false), |disk| (disk.sectors, disk.readonly));
            let added = plan::added(device.kind, sectors, readonly);
            let config = self.place(&added.config);
            let queues = added.queues | added.queue_max << 16;
            let args = [u64::from(device.slot), u64::from(added.device), queues, added.features, config];
            self.simple(op::ADD_DEVICE, id, args)?;
        }
        let boot = self.place(&boot);
        self.simple(op::SET_BOOT_STATE, id, [boot])?;
        Ok(())
    }

    fn attach_disks(&mut self, domain: &domain_builder::Domain) -> Result<Vec<DeviceRecord>, Failure> {
        let mut devices = Vec::new();
        for (slot, device) in (0..).zip(domain.devices()) {
            let (kind, disk) = match device {
                Device::Block(_, disk) => {
                    let (unit, sectors) = self.disks.attach(&disk.path, disk.readonly)?;
                    let (path, serial) = (disk.path.clone(), disk.serial.clone());
                    (DeviceKind::Block, Some(DiskRecord { path, readonly: disk.readonly, serial, unit, sectors }))
                }
                Device::Console => (DeviceKind::Console, None),
                Device::Entropy => (DeviceKind::Entropy, None),
                Device::Balloon => (DeviceKind::Balloon, None),
            };
            devices.push(DeviceRecord { slot, kind, disk });
        }
        Ok(devices)
    }

    /// Loads a piece; gives it back if no buffer is free now.
    fn load(&mut self, creation: &Creation, gfn: u64, bytes: Vec<u8>) -> Result<Option<Vec<u8>>, Failure> {
        let Some(id) = creation.id else { return Ok(None) };
        let Some(mut buffer) = self.hypervisor.pool().take(bytes.len()) else { return Ok(Some(bytes)) };
        if let Some(room) = self.hypervisor.bytes_mut(&mut buffer).get_mut(..bytes.len()) {
            room.copy_from_slice(&bytes);
        }
        let pages = bytes.len() as u64 / abi::PAGE_SIZE;
        let loaded = self.simple(op::LOAD, id, [gfn, buffer.physical(), pages])?;
        if loaded != pages {
            return Err(bug("the hypervisor did not take all pages of the domain's image"));
        }
        Ok(None)
    }

    fn complete(&mut self, creation: &Creation) -> Result<Payload, Failure> {
        let id = creation.id.ok_or_else(|| bug("the domain has no image"))?;
        let domain = self.domains.get_mut(&id).ok_or(abi::Error::NotFound)?;
        domain.record.built = true;
        let name = domain.record.name.clone();
        self.save(id);
        if !creation.paused {
            self.simple(op::START, id, [])?;
        }
        tracing::info!(domain = id, name, paused = creation.paused, restarts = creation.restarts, "created");
        Ok(Payload::Created { id, name })
    }
}

/// What cannot be, and so is nobody's mistake but ours.
fn bug(what: &str) -> Failure {
    let hint = "this is a bug: create the domain again, and report it with cubed's log and that of `cube dmesg`";
    Failure::new(ErrorCode::Failed, what, hint)
}

fn explain(error: Refused, memory: u64) -> Failure {
    let failure = Failure::from(error);
    if failure.code != ErrorCode::NoResources {
        return failure;
    }
    let message = format!("{} for a domain of {} MiB", failure.message, memory >> 20);
    let hint = "`cube info` tells what is free; stop a domain, or give this one less memory or a lower limit";
    Failure::new(ErrorCode::NoResources, message, hint)
}
