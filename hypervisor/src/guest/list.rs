//! The list of guests.

use crate::cpu::lock::{Level, Lock};
use crate::domain::Domain;
use abi::Error;
use alloc::sync::Arc;
use heapless::Vec;

/// Most guests at a time.
pub const MAX: usize = 64;

/// Highest identifier: a frame's record has room for no more.
const LAST: u32 = 1022;

/// All guests, and the identifier that was given last.
struct List {
    guests: Vec<Arc<Domain>, MAX>,
    last: u32,
}

static LIST: Lock<List> = Lock::new(Level::Domains, List { guests: Vec::new(), last: 0 });

/// The guest with this identifier.
pub fn find(id: u32) -> Option<Arc<Domain>> {
    LIST.lock().guests.iter().find(|domain| domain.id == id).cloned()
}

/// Adds a guest, made by `make`, if there are not too many. An identifier comes again only after
/// all others have: what dom0 still does for a guest that is gone must not reach another one.
pub(super) fn insert(make: impl FnOnce(u32) -> Option<Arc<Domain>>) -> Result<Arc<Domain>, Error> {
    let mut list = LIST.lock();
    if list.guests.is_full() {
        return Err(Error::Full);
    }
    let following = (list.last + 1..=LAST).chain(1..=LAST);
    let id = following.into_iter().find(|&id| list.guests.iter().all(|domain| domain.id != id)).ok_or(Error::Full)?;
    let domain = make(id).ok_or(Error::NoMemory)?;
    list.last = id;
    list.guests.push(domain.clone()).map_err(|_| Error::Full)?;
    Ok(domain)
}

/// Takes a guest out.
pub(super) fn remove(id: u32) {
    let removed = {
        let mut list = LIST.lock();
        list.guests.iter().position(|domain| domain.id == id).map(|at| list.guests.swap_remove(at))
    };
    drop(removed);
}

/// Shows every guest to `f`, without holding the list.
pub fn each(mut f: impl FnMut(&Arc<Domain>)) {
    let all = LIST.lock().guests.clone();
    all.iter().for_each(&mut f);
}

/// How many there are.
pub fn count() -> usize {
    LIST.lock().guests.len()
}

/// Identifiers, ascending.
pub fn identifiers() -> Vec<u32, MAX> {
    let mut ids: Vec<u32, MAX> = LIST.lock().guests.iter().map(|domain| domain.id).collect();
    ids.sort_unstable();
    ids
}
