//! The hypervisor's log, as clients follow it.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::{command, value};
use abi::command::op;
use protocol::{Failure, LogChunk, Payload};

impl<H: Hypervisor> Daemon<H> {
    /// The next piece from `cursor` on, and where the one after it begins.
    ///
    /// # Errors
    /// As the hypervisor refuses.
    pub fn read_log(&mut self, cursor: u64) -> Result<(Payload, u64), Failure> {
        let len = self.scratch.len() as u64;
        let mut one = [command(op::READ_LOG, 0, [cursor, self.scratch.physical(), len])];
        let submitted = self.hypervisor.submit(&mut one).map_err(Into::into);
        self.note(submitted)?;
        let [done] = one;
        let copied = value(&done)? & 0xffff_ffff;
        let first = done.args[3];
        let next = first.saturating_add(copied);
        let bytes = self.scratch_bytes(usize::try_from(copied).unwrap_or(0));
        let text = String::from_utf8_lossy(bytes).into_owned();
        Ok((Payload::Log(LogChunk { cursor: first, next, text }), next))
    }
}
