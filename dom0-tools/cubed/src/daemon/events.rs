//! Events to the devices, the map and the life cycle.

use super::Daemon;
use crate::channel::hypervisor::Refused;
use crate::channel::{Event, Hypervisor, Request};
use crate::devices::{Console, bytes, entropy};
use abi::domain::state;
use abi::event::segment;
use protocol::DeviceKind;

/// virtio status: the driver is ready (virtio 1.2, section 2.1).
const DRIVER_OK: u8 = 4;
/// The device needs a reset, or the driver has given up.
const NEEDS_RESET: u8 = 64;
const FAILED: u8 = 128;

impl<H: Hypervisor> Daemon<H> {
    /// Takes one event.
    pub(super) fn event(&mut self, event: Event) {
        match event {
            Event::Request(request) => self.serve(request),
            Event::PageOut { domain, page, clean } => self.disks.page_out(domain, page, clean),
            Event::PageIn { domain, page, block } => self.disks.page_in(domain, page, block),
            Event::Release { domain, page, .. } => self.disks.release(domain, page),
            Event::Uart { domain, bytes } => {
                if let Some(known) = self.domains.get(&domain) {
                    self.consoles.open(&known.record.name).uart(&bytes);
                }
            }
            Event::State { domain, state: state::ENDED, .. } => self.ended(domain),
            Event::State { domain, state, reason } => {
                tracing::info!(domain, state, reason, "a domain changed its state")
            }
            Event::DeviceStatus { domain, slot, status } => self.device_status(domain, slot, status),
            Event::Unknown { kind, domain } => tracing::error!(kind, domain, "an event that cannot be understood"),
        }
    }

    /// Serves a request, or puts it off if no buffer is free.
    pub(super) fn serve(&mut self, mut request: Request) {
        let domain = request.domain;
        match self.try_serve(&request) {
            Err(Refused::By(abi::Error::NoMemory)) => {
                // Told once: when the request is served again, the page may have been swapped anew.
                request.segments.iter_mut().for_each(|s| s.flags &= !segment::DROPS);
                self.deferred.push_back(request);
            }
            result => self.expect_done("a device request", domain, result),
        }
    }

    /// Requests that were put off.
    pub(super) fn serve_deferred(&mut self) {
        for request in std::mem::take(&mut self.deferred) {
            self.serve(request);
        }
    }

    fn try_serve(&mut self, request: &Request) -> Result<(), Refused> {
        let Some(domain) = self.domains.get_mut(&request.domain) else {
            tracing::debug!(domain = request.domain, "a request of a domain that is not ours");
            return Ok(());
        };
        let Some(device) = domain.devices.get_mut(&request.slot) else {
            // A domain of which no record was found: its guest waits until it is killed.
            tracing::warn!(domain = request.domain, slot = request.slot, "a request of a device that is not known");
            return Ok(());
        };
        device.ready = true;
        match (device.kind, &device.disk) {
            (DeviceKind::Block, Some(disk)) => {
                self.disks.serve(&mut self.hypervisor, request, disk, &mut device.counters)
            }
            (DeviceKind::Entropy, _) => {
                self.disks.release_dropped(request);
                entropy::serve(&mut self.hypervisor, request, &mut device.counters)
            }
            (DeviceKind::Console, _) => {
                self.disks.release_dropped(request);
                let console = self.consoles.open(&domain.record.name);
                console.serve(&mut self.hypervisor, request.clone())
            }
            _ => bytes::answer(&mut self.hypervisor, request, &[]),
        }
    }

    fn device_status(&mut self, domain: u32, slot: u32, status: u8) {
        let Some(known) = self.domains.get_mut(&domain) else { return };
        let Some(device) = known.devices.get_mut(&slot) else { return };
        tracing::debug!(domain, slot, status, "device status");
        device.ready = status & (DRIVER_OK | NEEDS_RESET | FAILED) == DRIVER_OK;
        if status == 0 && device.kind == DeviceKind::Console {
            self.consoles.open(&known.record.name).reset();
        }
    }

    /// Input from a client for the console of this name.
    pub fn type_in(&mut self, name: &str, bytes: &[u8]) {
        if let Some(console) = self.consoles.get_mut(name) {
            console.type_in(bytes);
        }
        self.pump();
    }

    /// Writes down where input goes, for the next daemon.
    pub(super) fn note_lines(&mut self) {
        let consoles = &self.consoles;
        let mut changed = Vec::new();
        for (id, domain) in &mut self.domains {
            let is_virtio = consoles.get(&domain.record.name).is_some_and(Console::is_virtio);
            if std::mem::replace(&mut domain.record.virtio_console, is_virtio) != is_virtio {
                changed.push(*id);
            }
        }
        changed.into_iter().for_each(|id| self.save(id));
    }

    /// Moves waiting input to the guests.
    pub(super) fn pump(&mut self) {
        let ids: Vec<u32> = self.domains.iter().filter(|(_, d)| !d.ended && !d.dying).map(|(id, _)| *id).collect();
        for id in ids {
            let Some(name) = self.domains.get(&id).map(|domain| domain.record.name.clone()) else { continue };
            let Some(console) = self.consoles.get_mut(&name) else { continue };
            if !console.has_input() {
                continue;
            }
            let moved = console.pump(&mut self.hypervisor).and_then(|()| console.pump_uart(&mut self.hypervisor, id));
            match moved {
                Ok(()) | Err(Refused::By(abi::Error::NoMemory)) => {}
                Err(error) => {
                    console.drop_input();
                    self.expect_done::<()>("console input", id, Err(error));
                }
            }
        }
    }

    /// Console output from position `from` on; `None` if there is no such console.
    #[must_use]
    pub fn console_output(&self, name: &str, from: u64, limit: usize) -> Option<(Vec<u8>, u64)> {
        self.consoles.get(name).map(|console| console.history().since(from, limit))
    }

    /// True if there is more to come from the console of this name.
    #[must_use]
    pub fn console_live(&self, name: &str) -> bool {
        self.consoles.live(name) || self.is_coming(name)
    }
}
