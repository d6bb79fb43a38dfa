//! Commands of the daemon's own, through the scratch buffer.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::{Refused, call, command, value};
use abi::command::{Command, op};
use abi::domain::{DomainInfo, SwappedPage};
use abi::host::HostInfo;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

impl<H: Hypervisor> Daemon<H> {
    /// Has one command worked off.
    pub(super) fn call(&mut self, command: Command) -> Result<u64, Refused> {
        let result = call(&mut self.hypervisor, command);
        self.note(result)
    }

    /// A command without more arguments than these.
    pub(super) fn simple<const N: usize>(&mut self, op: u32, domain: u32, args: [u64; N]) -> Result<u64, Refused> {
        self.call(command(op, domain, args))
    }

    /// Remembers that the channel is lost.
    pub(super) fn note<T>(&mut self, result: Result<T, Refused>) -> Result<T, Refused> {
        if let Err(Refused::Lost(lost)) = &result {
            self.lost = Some(*lost);
        }
        result
    }

    /// Reports a refusal that nobody waits for.
    pub(super) fn expect_done<T>(&mut self, what: &str, domain: u32, result: Result<T, Refused>) {
        if let Err(error) = self.note(result) {
            match error {
                // The guest reset the device, or the domain went meanwhile.
                Refused::By(abi::Error::NotFound | abi::Error::Cancelled) => {
                    tracing::debug!(domain, what, %error, "the object is gone");
                }
                _ => tracing::warn!(domain, what, %error, "the hypervisor refused"),
            }
        }
    }

    /// Puts a structure into the scratch buffer; its address.
    pub(super) fn place<T: IntoBytes + Immutable>(&mut self, value: &T) -> u64 {
        let bytes = self.hypervisor.bytes_mut(&mut self.scratch);
        for (to, from) in bytes.iter_mut().zip(value.as_bytes()) {
            *to = *from;
        }
        self.scratch.physical()
    }

    /// The structure at the beginning of the scratch buffer.
    fn placed<T: FromBytes + KnownLayout + Immutable>(&self) -> Result<T, Refused> {
        let bytes = self.hypervisor.bytes(&self.scratch);
        T::read_from_prefix(bytes).map(|(value, _)| value).map_err(|_| abi::Error::Invalid.into())
    }

    /// The first bytes of the scratch buffer.
    pub(super) fn scratch_bytes(&self, len: usize) -> &[u8] {
        self.hypervisor.bytes(&self.scratch).get(..len).unwrap_or_default()
    }

    /// All about a domain.
    pub(super) fn info(&mut self, domain: u32) -> Result<DomainInfo, Refused> {
        let at = self.scratch.physical();
        self.simple(op::DOMAIN_INFO, domain, [at])?;
        self.placed()
    }

    /// Some swapped pages of a domain from `first` on, and where to go on; `u64::MAX`: that was the end.
    pub(super) fn list_swapped(&mut self, domain: u32, first: u64) -> Result<(Vec<SwappedPage>, u64), Refused> {
        let room = self.scratch.len() / size_of::<SwappedPage>();
        let mut one = [command(op::LIST_SWAPPED, domain, [first, self.scratch.physical(), room as u64])];
        let submitted = self.hypervisor.submit(&mut one).map_err(Into::into);
        self.note(submitted)?;
        let [done] = one;
        let count = usize::try_from(value(&done)?).unwrap_or(0).min(room);
        let bytes = self.scratch_bytes(count * size_of::<SwappedPage>()).chunks_exact(size_of::<SwappedPage>());
        let pages = bytes.filter_map(|bytes| SwappedPage::read_from_bytes(bytes).ok()).collect();
        Ok((pages, done.args[3]))
    }

    /// The host.
    pub(super) fn host_info(&mut self) -> Result<HostInfo, Refused> {
        let at = self.scratch.physical();
        self.simple(op::HOST_INFO, 0, [at])?;
        self.placed()
    }

    /// Identifiers of all domains but dom0.
    pub(super) fn list_domains(&mut self) -> Result<Vec<u32>, Refused> {
        let (at, len) = (self.scratch.physical(), self.scratch.len());
        let count = self.simple(op::LIST_DOMAINS, 0, [at, len as u64])?;
        let count = usize::try_from(count).unwrap_or(0).min(len / 4);
        let ids = self.scratch_bytes(count * 4).as_chunks::<4>().0.iter().map(|id| u32::from_le_bytes(*id));
        Ok(ids.collect())
    }
}
