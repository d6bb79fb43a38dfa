//! The hypervisor's log and trace, as clients follow them.

use super::Daemon;
use crate::channel::Hypervisor;
use crate::channel::hypervisor::{command, value};
use abi::command::op;
use abi::host::TraceRecord;
use protocol::{Failure, LogChunk, Payload, TraceChunk, TraceEntry};
use zerocopy::FromBytes;

/// Which ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The log.
    Log,
    /// The trace.
    Trace,
}

impl<H: Hypervisor> Daemon<H> {
    /// The next piece from `cursor` on, and where the one after it begins.
    ///
    /// # Errors
    /// As the hypervisor refuses.
    pub fn read_log(&mut self, what: Follow, cursor: u64) -> Result<(Payload, u64), Failure> {
        let code = if what == Follow::Log { op::READ_LOG } else { op::READ_TRACE };
        let len = self.scratch.len() as u64;
        let mut one = [command(code, 0, [cursor, self.scratch.physical(), len])];
        let submitted = self.hypervisor.submit(&mut one).map_err(Into::into);
        self.note(submitted)?;
        let [done] = one;
        let copied = value(&done)? & 0xffff_ffff;
        let first = done.args[3];
        let next = first.saturating_add(copied);
        let bytes = self.scratch_bytes(usize::try_from(copied).unwrap_or(0));
        let payload = match what {
            Follow::Log => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                Payload::Log(LogChunk { cursor: first, next, text })
            }
            Follow::Trace => {
                let records = bytes.chunks_exact(size_of::<TraceRecord>());
                let records = records.filter_map(|bytes| TraceRecord::read_from_bytes(bytes).ok());
                let records = records.map(|record| TraceEntry::from(&record)).collect();
                Payload::Trace(TraceChunk { cursor: first, next, records })
            }
        };
        Ok((payload, next))
    }
}
