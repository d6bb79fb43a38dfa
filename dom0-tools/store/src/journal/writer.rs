//! Appending to the journal, and beginning a new generation.
//!
//! Invariant: `state` is what the blocks written so far say. After an error nothing is
//! appended any more: what is on disk past the last good block is unknown.

use super::State;
use crate::format::{Body, DiskEntry, RECORDS, Superblock, encode, encode_disks};
use crate::io::{Attempt, Buffer, Fault, FaultHook, Volume, write_all};
use rustix::fs::fdatasync;
use std::io;
use std::sync::Arc;
use tesseract::{BLOCK, Record};

/// The writing end of a journal.
pub(crate) struct Writer {
    volume: Arc<Volume>,
    superblock: Superblock,
    state: State,
    /// Blocks of the area that are in use.
    used: u64,
    dead: bool,
    faults: Option<FaultHook>,
}

impl Writer {
    /// Begins a new generation over `old`, holding `state`, in this boot.
    pub(crate) fn begin(
        volume: Arc<Volume>,
        old: Superblock,
        boot: [u8; 16],
        state: State,
        faults: Option<FaultHook>,
    ) -> io::Result<Self> {
        let superblock = Superblock { boot, ..old };
        let mut writer = Self { volume, superblock, state, used: 0, dead: false, faults };
        writer.next_generation()?;
        Ok(writer)
    }

    /// Appends records. When it returns, the kernel has them.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let bodies = records.chunks(RECORDS).map(|c| Body::Records(c.to_vec())).collect();
        self.put(bodies)
    }

    /// Appends the last word about a disk and makes it durable.
    pub(crate) fn put_disk(&mut self, disk: &DiskEntry) -> io::Result<()> {
        self.put(vec![Body::Disks(vec![disk.clone()])])?;
        Ok(fdatasync(self.volume.fd())?)
    }

    fn put(&mut self, bodies: Vec<Body>) -> io::Result<()> {
        if self.dead {
            return Err(io::Error::other("the journal has failed before"));
        }
        let result = self.try_put(bodies);
        self.dead |= result.is_err();
        result
    }

    fn try_put(&mut self, bodies: Vec<Body>) -> io::Result<()> {
        if self.used + bodies.len() as u64 > self.superblock.geometry.area {
            bodies.iter().for_each(|b| self.state.apply(b));
            return self.next_generation();
        }
        self.write(&bodies)?;
        bodies.iter().for_each(|b| self.state.apply(b));
        Ok(())
    }

    /// Writes the state to the other area, makes it durable, and only then has the superblock name it.
    fn next_generation(&mut self) -> io::Result<()> {
        self.superblock.generation += 1;
        self.used = 0;
        let snapshot = self.state.snapshot();
        if snapshot.len() as u64 > self.superblock.geometry.area {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.write(&snapshot)?;
        fdatasync(self.volume.fd())?;
        // One copy after the other: a whole one is there at any time, and afterwards no copy of an
        // older generation is left that damage to the other could bring back.
        for place in self.superblock.places() {
            self.store(place, &self.superblock.encode())?;
            fdatasync(self.volume.fd())?;
        }
        Ok(())
    }

    fn write(&mut self, bodies: &[Body]) -> io::Result<()> {
        let Superblock { generation, geometry, .. } = self.superblock;
        let at = geometry.area_at(self.superblock.area());
        for chunk in bodies.chunks(256) {
            let mut bytes = Vec::with_capacity(chunk.len() * BLOCK as usize);
            for (index, body) in (self.used..).zip(chunk) {
                bytes.extend(match body {
                    Body::Records(records) => encode(generation, index, records),
                    Body::Disks(disks) => encode_disks(generation, index, disks),
                });
            }
            self.store(at + self.used * BLOCK, &bytes)?;
            self.used += chunk.len() as u64;
        }
        Ok(())
    }

    fn store(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let attempt = Attempt { disk: None, write: true, journal: true, offset, len: bytes.len() as u64 };
        let mut buffer = Buffer::allocate(bytes.len()).ok_or(io::ErrorKind::OutOfMemory)?;
        buffer.bytes_mut().copy_from_slice(bytes);
        match self.faults.as_ref().and_then(|hook| hook(&attempt)) {
            Some(Fault::Error(code)) => return Err(io::Error::from_raw_os_error(code)),
            Some(Fault::Short(n)) => {
                // As if the process had been killed here.
                let whole = n / BLOCK as usize * BLOCK as usize;
                write_all(&self.volume, offset, buffer.bytes().get(..whole).unwrap_or_default())?;
                return Err(io::ErrorKind::WriteZero.into());
            }
            None => {}
        }
        write_all(&self.volume, offset, buffer.bytes())
    }
}
