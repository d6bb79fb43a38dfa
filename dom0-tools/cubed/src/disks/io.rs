//! What the executor needs of the operating system: asynchronous accesses to disks and the store.

use crate::channel::{Buffer, Hypervisor};
use std::path::Path;
use tesseract::{Durable, Extent, Record};

/// An access, with the buffer that it owns until it is finished. Extents are as long as the
/// buffer or shorter.
#[derive(Debug)]
pub enum Job {
    /// Fill the buffer's beginning.
    Read {
        /// Where from.
        from: Extent,
        /// What to fill.
        buffer: Buffer,
    },
    /// Store the buffer's beginning.
    Write {
        /// Where to.
        to: Extent,
        /// What to store.
        buffer: Buffer,
    },
    /// Make a range read as zeroes.
    Zero {
        /// Which.
        to: Extent,
        /// The space may be given back.
        unmap: bool,
    },
    /// Make what was written survive a loss of power.
    Sync(Durable),
    /// Append to the journal, after everything that was appended before.
    Journal(Vec<Record>),
}

/// An access that is over.
#[derive(Debug)]
pub struct Finished {
    /// As it was begun.
    pub token: u64,
    /// The access's buffer.
    pub buffer: Option<Buffer>,
    /// How it went.
    pub result: std::io::Result<()>,
}

/// Asynchronous accesses. Accesses that overlap in time may happen in any order, but for the
/// journal's, which are appended in order. A killed daemon's accesses are over, one way or the
/// other, before the next daemon starts.
pub trait Io {
    /// Keeps a number for the image that is opened as it.
    fn reserve(&mut self, unit: u16);

    /// Opens a guest's disk: the number by which references name it, and its size in bytes. An
    /// image with references has the same number each time; another gets `unit` if it is free.
    /// With a `unit`, a guest runs on it: that it is in use is waited for.
    ///
    /// # Errors
    /// A sentence about what is wrong and what to do.
    fn open(&mut self, path: &Path, readonly: bool, unit: Option<u16>) -> Result<(u16, u64), String>;

    /// Closes a guest's disk. No access to it is under way. `resolved`: nothing refers to or from it any more.
    fn close(&mut self, unit: u16, resolved: bool);

    /// Begins an access. Errors come with its end.
    fn begin(&mut self, token: u64, job: Job, hypervisor: &mut dyn Hypervisor);

    /// Hands everything begun so far to the system.
    fn flush(&mut self);

    /// Accesses that are over.
    fn finished(&mut self, hypervisor: &mut dyn Hypervisor) -> Vec<Finished>;
}
