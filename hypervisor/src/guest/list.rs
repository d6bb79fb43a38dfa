//! The list of guests.

use crate::cpu::lock::{Level, Lock};
use crate::domain::Domain;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Most guests at a time.
pub const MAX: usize = 64;

static LIST: Lock<Vec<Arc<Domain>>> = Lock::new(Level::Domains, Vec::new());

/// The guest with this identifier.
pub fn find(id: u32) -> Option<Arc<Domain>> {
    LIST.lock().iter().find(|domain| domain.id == id).cloned()
}

/// Adds a guest with the lowest free identifier, made by `make`; `None` if there are too many.
pub(super) fn insert(make: impl FnOnce(u32) -> Arc<Domain>) -> Option<Arc<Domain>> {
    let mut list = LIST.lock();
    if list.len() >= MAX {
        return None;
    }
    let id = (1..).find(|&id| list.iter().all(|domain| domain.id != id))?;
    let domain = make(id);
    list.push(domain.clone());
    Some(domain)
}

/// Takes a guest out.
pub(super) fn remove(id: u32) {
    let removed = {
        let mut list = LIST.lock();
        list.iter().position(|domain| domain.id == id).map(|at| list.swap_remove(at))
    };
    drop(removed);
}

/// Shows every guest to `f`, without holding the list.
pub fn each(mut f: impl FnMut(&Arc<Domain>)) {
    let all: Vec<_> = LIST.lock().clone();
    all.iter().for_each(&mut f);
}

/// How many there are.
pub fn count() -> usize {
    LIST.lock().len()
}

/// Identifiers, ascending.
pub fn identifiers() -> heapless::Vec<u32, MAX> {
    let mut ids: heapless::Vec<u32, MAX> = LIST.lock().iter().map(|domain| domain.id).collect();
    ids.sort_unstable();
    ids
}
