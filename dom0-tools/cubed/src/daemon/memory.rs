//! How much memory a domain may have and shall give up: what cannot work is refused, with the reason.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::Refused;
use abi::command::op;
use domain_builder::domain::MIN_MEMORY;
use protocol::{ErrorCode, Failure, Payload};
use std::ops::RangeInclusive;

impl<H: Hypervisor> Daemon<H> {
    /// A domain that could never have all that it may have is a mistake. Several together may be promised more
    /// than there is.
    pub(super) fn check_limit(&mut self, limit: u64, memory: u64) -> Result<(), Failure> {
        self.check_store(limit, memory)?;
        let pool = self.host_info()?.pool * abi::PAGE_SIZE;
        if limit <= pool {
            return Ok(());
        }
        let message = format!("its limit is {} MiB, and this machine has {} MiB for domains", limit >> 20, pool >> 20);
        let hint = "give it less `memory`, or a `limit` below that: the rest is then paged out to the store";
        Err(Failure::new(ErrorCode::NoResources, message, hint))
    }

    /// Without a store a domain that reaches a limit below its memory would wait for ever.
    fn check_store(&self, limit: u64, memory: u64) -> Result<(), Failure> {
        if self.disks.has_store() || limit >= memory {
            return Ok(());
        }
        let message = format!(
            "a limit of {} for a domain of {} needs a swap store, and cubed was started without one",
            size(limit),
            size(memory)
        );
        let hint = "start cubed with a store (--store PATH; hypercube.store=PATH on dom0's command line where our init \
                    starts it), or let the limit be the whole memory";
        Err(Failure::new(ErrorCode::Unsupported, message, hint))
    }

    pub(super) fn set_limit(&mut self, name: &str, bytes: u64) -> Result<Payload, Failure> {
        let id = self.find(name)?;
        let memory = self.info(id)?.memory * abi::PAGE_SIZE;
        in_range("limit", name, bytes, MIN_MEMORY..=memory)?;
        self.check_store(bytes, memory)?;
        self.simple(op::SET_LIMIT, id, [bytes / abi::PAGE_SIZE])?;
        Ok(Payload::Done)
    }

    pub(super) fn set_balloon(&mut self, name: &str, bytes: u64) -> Result<Payload, Failure> {
        let id = self.find(name)?;
        let memory = self.info(id)?.memory * abi::PAGE_SIZE;
        in_range("balloon", name, bytes, 0..=memory)?;
        match self.simple(op::SET_BALLOON, id, [bytes / abi::PAGE_SIZE]) {
            // The domain is there: it was found a moment ago.
            Err(Refused::By(abi::Error::NotFound)) if !self.domains.get(&id).is_some_and(|domain| domain.dying) => {
                let message = format!("the domain {name} has no balloon");
                let hint = "leave `balloon = false` out of its domain file, and create it again";
                Err(Failure::new(ErrorCode::Failed, message, hint))
            }
            result => Ok(result.map(|_| Payload::Done)?),
        }
    }
}

fn in_range(what: &str, name: &str, bytes: u64, range: RangeInclusive<u64>) -> Result<(), Failure> {
    if range.contains(&bytes) {
        return Ok(());
    }
    let (least, most) = range.into_inner();
    let message =
        format!("a {what} of {} is out of range: the domain {name} has {} of memory", size(bytes), size(most));
    let hint = format!("choose a size from {} to {}", word(least), word(most));
    Err(Failure::new(ErrorCode::Usage, message, hint))
}

/// Whole MiB if it is that, else KiB.
fn size(bytes: u64) -> String {
    if bytes.is_multiple_of(1 << 20) { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

/// The same as the command line takes it.
fn word(bytes: u64) -> String {
    size(bytes).replace(" MiB", "M").replace(" KiB", "K")
}
