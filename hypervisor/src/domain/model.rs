//! A domain.

use super::{End, Vcpu};
use crate::cpu::lock::{Level, Lock};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a domain is allowed to be.
pub enum Kind {
    /// The service domain: identity-mapped, with the real devices.
    Dom0,
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
}

impl Domain {
    /// A domain without vCPUs.
    pub fn new(id: u32, kind: Kind) -> Arc<Self> {
        Arc::new(Self {
            id,
            kind,
            vcpus: spin::Once::new(),
            ended: AtomicBool::new(false),
            end: Lock::new(Level::Domains, None),
            exits: [const { AtomicU64::new(0) }; 10],
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

    /// True once the domain must run no more.
    pub fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Ends the domain; the first reason stays.
    pub fn end(&self, end: End) {
        let mut slot = self.end.lock();
        if slot.is_none() {
            crate::log::warn!("domain {} ended: {end}", self.id);
            *slot = Some(end);
        }
        self.ended.store(true, Ordering::Release);
    }
}
