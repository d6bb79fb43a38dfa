//! What a guest may take of the heap, promised when it is created and given back when it is gone. What is
//! allocated for it stays within the promise, so neither many guests nor the requests of bad ones exhaust the heap.

use super::Guest;
use super::slot::{MAX_LIVE, MAX_PIECES, PIECE, Request};
use crate::cpu::fpu;
use crate::domain::{Context, Domain, Vcpu};
use crate::memory::heap;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering};
use virtio::mmio::Device;

/// Bytes for the guest itself and its live requests.
const GUEST: usize =
    size_of::<Domain>() + size_of::<Guest>() + MAX_LIVE * (size_of::<Request>() + SLACK) + MAX_PIECES * PIECE + 1024;
/// For a vCPU: itself, its context, vector state and back end, its places in lists.
const VCPU: usize = size_of::<Context>()
    + size_of::<Vcpu>()
    + size_of::<fpu::State>()
    + align_of::<fpu::State>()
    + 4 * size_of::<Arc<Vcpu>>()
    + 768;
/// What alignment and the allocator's own words cost for each allocation of a request.
const SLACK: usize = 64;
const DEVICE: usize = size_of::<Device>() + SLACK;

/// Bytes promised to all guests.
static PROMISED: AtomicUsize = AtomicUsize::new(0);

/// A guest's part.
pub struct Promise(AtomicUsize);

impl Promise {
    /// For a guest with so many vCPUs; `None` if the heap has not enough left.
    pub fn of(vcpus: usize) -> Option<Self> {
        let bytes = GUEST + vcpus * VCPU;
        promise(bytes).then(|| Self(AtomicUsize::new(bytes)))
    }

    /// For one device more; false if the heap has not enough left.
    pub fn add_device(&self) -> bool {
        let added = promise(DEVICE);
        if added {
            self.0.fetch_add(DEVICE, Ordering::Relaxed);
        }
        added
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        PROMISED.fetch_sub(*self.0.get_mut(), Ordering::Relaxed);
    }
}

fn promise(bytes: usize) -> bool {
    let fits = |promised: usize| promised.checked_add(bytes).filter(|&all| all <= heap::FOR_DOMAINS);
    PROMISED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
}
