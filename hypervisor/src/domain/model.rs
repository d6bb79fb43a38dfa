//! A domain.

use super::{End, MemoryFault, Reason, Vcpu};
use crate::cpu::lock::{Level, Lock};
use crate::guest::Guest;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use paging::Gfn;
use virtio::memory::GuestMemory as _;

/// What a domain is allowed to be.
pub enum Kind {
    /// The service domain: identity-mapped, with the real devices.
    Dom0,
    /// A guest.
    Guest(Box<Guest>),
}

/// One domain. Shared by its vCPUs and the list of domains.
pub struct Domain {
    /// Identifier; 0 is dom0.
    pub id: u32,
    /// dom0 or a guest.
    pub kind: Kind,
    /// Its vCPUs, set once when it is built.
    vcpus: spin::Once<Vec<Arc<Vcpu>>>,
    /// Set when the domain must run no more.
    ended: AtomicBool,
    end: Lock<Option<End>>,
    /// Exits so far, by [`super::exits::class`].
    pub exits: [AtomicU64; 10],
    /// Nanoseconds that its vCPUs ran.
    pub cpu_time: AtomicU64,
}

impl Domain {
    /// A domain without vCPUs.
    pub fn new(id: u32, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            id,
            kind,
            vcpus: spin::Once::new(),
            ended: AtomicBool::new(false),
            end: Lock::new(Level::Ends, None),
            exits: [const { AtomicU64::new(0) }; 10],
            cpu_time: AtomicU64::new(0),
        })
    }

    /// Gives the domain its vCPUs. Once.
    pub fn set_vcpus(&self, vcpus: Vec<Arc<Vcpu>>) {
        self.vcpus.call_once(|| vcpus);
    }

    /// Its vCPUs.
    pub fn vcpus(&self) -> &[Arc<Vcpu>] {
        self.vcpus.get().map_or(&[], Vec::as_slice)
    }

    /// True for dom0.
    pub fn is_dom0(&self) -> bool {
        matches!(self.kind, Kind::Dom0)
    }

    /// The guest part; `None` for dom0.
    pub fn guest(&self) -> Option<&Guest> {
        match &self.kind {
            Kind::Dom0 => None,
            Kind::Guest(guest) => Some(guest),
        }
    }

    /// Reads guest-physical memory.
    pub fn read(&self, address: u64, out: &mut [u8]) -> Result<(), MemoryFault> {
        match &self.kind {
            Kind::Dom0 => crate::dom0::read(address, out),
            Kind::Guest(guest) => guest.memory.lock().read(address, out).map_err(MemoryFault::from),
        }
    }

    /// Writes guest-physical memory on the domain's behalf.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), MemoryFault> {
        match &self.kind {
            Kind::Dom0 => crate::dom0::write(address, bytes),
            Kind::Guest(guest) => {
                let mut memory = guest.memory.lock();
                let last = address.saturating_add(bytes.len() as u64).saturating_sub(1);
                match [address, last].into_iter().map(|at| Gfn(at >> 12)).find(|&gfn| memory.is_beyond(gfn)) {
                    Some(gfn) => Err(MemoryFault::Absent(gfn.0)),
                    None => memory.write(address, bytes).map_err(MemoryFault::from),
                }
            }
        }
    }

    /// True while its vCPUs must not run: being built, paused.
    pub fn is_held(&self) -> bool {
        self.guest().is_some_and(|guest| guest.state.load(Ordering::Acquire) != abi::domain::state::RUNNING)
    }

    /// Makes its vCPUs leave for good, without a reason of its own.
    pub fn kill(&self) {
        self.end(End { reason: Reason::Killed, detail: 0 });
    }

    /// Reason and detail as dom0 is told them; zeroes while it has not ended.
    pub fn end_reason(&self) -> (u32, u64) {
        self.end.lock().as_ref().map_or((0, 0), |end| (end.reason as u32, end.detail))
    }

    /// True once the domain must run no more.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends the domain; the first reason stays. Its vCPUs leave wherever they are: one that sleeps
    /// must wake up to tell dom0. Not with a lock above [`Level::Ends`] held.
    pub fn end(&self, end: End) {
        {
            let mut slot = self.end.lock();
            if slot.is_none() {
                crate::log::warn!("domain {} ended: {end}", self.id);
                *slot = Some(end);
            }
            self.ended.store(true, Ordering::Release);
        }
        for vcpu in self.vcpus() {
            vcpu.notify();
        }
    }
}
