//! Appending to the journal, and beginning a new generation.
//!
//! Invariant: `state` is what the records handed in so far say, written or not. After an error nothing is
//! appended to that generation any more: what is on disk past its last good block is unknown. A
//! later append tries to begin a new one, which then holds what the failed ones said, too. No attempt
//! touches an area that a superblock on disk may name, or uses a generation twice.

use super::State;
use crate::format::{Body, DiskEntry, RECORDS, Superblock, encode, encode_disks};
use crate::io::{Attempt, Buffer, Fault, FaultHook, Volume, write_all};
use crate::random::random;
use rustix::fs::fdatasync;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tesseract::{BLOCK, Record};

/// After an error, appends fail at once for this long.
const PAUSE: Duration = Duration::from_millis(100);

/// The writing end of a journal.
pub(crate) struct Writer {
    volume: Arc<Volume>,
    superblock: Superblock,
    state: State,
    /// Blocks of the area that are in use.
    used: u64,
    /// The highest generation that was tried.
    tried: u64,
    /// A superblock of this generation, whose area is whole, may or may not be on disk.
    naming: Option<Superblock>,
    /// Appends failed; when.
    failed: Option<Instant>,
    /// Whether the appends so far are on the disk is not known.
    distrusted: bool,
    /// Set when a sync of the store's file failed here: the kernel does not tell it again to those who rely on it, too.
    lost: Arc<AtomicBool>,
    faults: Option<FaultHook>,
}

impl Writer {
    /// Begins a new generation over `old`, holding `state`, in this boot.
    pub(crate) fn begin(
        volume: Arc<Volume>,
        old: Superblock,
        boot: [u8; 16],
        state: State,
        lost: Arc<AtomicBool>,
        faults: Option<FaultHook>,
    ) -> io::Result<Self> {
        let superblock = Superblock { boot, ..old };
        // An earlier process may have begun the next generations: a leap, so that none of its blocks fits ours.
        let leap = random()?.first_chunk().copied().map_or(0, u32::from_le_bytes);
        let tried = superblock.generation + 2 * u64::from(leap);
        let (naming, failed, distrusted) = (None, None, false);
        let mut writer = Self { volume, superblock, state, used: 0, tried, naming, failed, distrusted, lost, faults };
        writer.next_generation()?;
        Ok(writer)
    }

    /// Appends records. When it returns, the kernel has them, and all that failed before. None:
    /// only that.
    pub(crate) fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let bodies = records.chunks(RECORDS).map(|c| Body::Records(c.to_vec())).collect();
        self.put(bodies)
    }

    /// Appends the last word about a disk and makes it durable.
    pub(crate) fn put_disk(&mut self, disk: &DiskEntry) -> io::Result<()> {
        self.put(vec![Body::Disks(vec![disk.clone()])])?;
        let synced = self.sync();
        if synced.is_err() {
            self.failed = Some(Instant::now());
        }
        synced
    }

    fn sync(&self) -> io::Result<()> {
        let attempt = Attempt { disk: None, write: true, journal: true, offset: 0, len: 0 };
        let synced = match self.faults.as_ref().and_then(|hook| hook(&attempt)) {
            Some(Fault::Error(code)) => Err(io::Error::from_raw_os_error(code)),
            _ => fdatasync(self.volume.fd()).map_err(Into::into),
        };
        if synced.is_err() {
            self.lost.store(true, Ordering::Release);
        }
        synced
    }

    /// A sync failed: the next append begins a new generation, which says all of it again.
    pub(crate) fn distrust(&mut self) {
        self.distrusted = true;
    }

    fn put(&mut self, bodies: Vec<Body>) -> io::Result<()> {
        bodies.iter().for_each(|b| self.state.apply(b));
        if self.failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(io::Error::other("the journal has failed just now"));
        }
        let full = self.used + bodies.len() as u64 > self.superblock.geometry.area;
        let anew = full || self.distrusted || self.failed.is_some();
        let result = if anew { self.next_generation() } else { self.write(&bodies) };
        self.failed = result.is_err().then(Instant::now);
        self.distrusted = false;
        result
    }

    /// Writes the state to the area that does not count, makes it durable, and only then has the superblock name it.
    fn next_generation(&mut self) -> io::Result<()> {
        if let Some(whole) = self.naming.clone() {
            self.name(whole)?;
        }
        // Of the other area, and never tried: no block of an earlier attempt fits it.
        let same_area = |generation: u64| generation % 2 == self.superblock.generation % 2;
        self.tried += if same_area(self.tried) { 1 } else { 2 };
        let next = Superblock { generation: self.tried, ..self.superblock.clone() };
        let snapshot = self.state.snapshot();
        if snapshot.len() as u64 > next.geometry.area {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.write_to(&next, 0, &snapshot)?;
        self.sync()?;
        self.name(next)?;
        self.used = snapshot.len() as u64;
        Ok(())
    }

    /// Has the superblock name a generation whose area is whole. Until that has gone well, either may count.
    fn name(&mut self, next: Superblock) -> io::Result<()> {
        self.naming = Some(next.clone());
        // One copy after the other: a whole one is there at any time, and afterwards no copy of an
        // older generation is left that damage to the other could bring back.
        for place in next.places() {
            self.store(place, &next.encode())?;
            self.sync()?;
        }
        self.superblock = next;
        self.naming = None;
        Ok(())
    }

    /// Appends to the generation that counts.
    fn write(&mut self, bodies: &[Body]) -> io::Result<()> {
        self.write_to(&self.superblock, self.used, bodies)?;
        self.used += bodies.len() as u64;
        Ok(())
    }

    fn write_to(&self, superblock: &Superblock, first: u64, bodies: &[Body]) -> io::Result<()> {
        let Superblock { generation, geometry, .. } = *superblock;
        let mut at = first;
        for chunk in bodies.chunks(256) {
            let mut bytes = Vec::with_capacity(chunk.len() * BLOCK as usize);
            for (index, body) in (at..).zip(chunk) {
                bytes.extend(match body {
                    Body::Records(records) => encode(generation, index, records),
                    Body::Disks(disks) => encode_disks(generation, index, disks),
                });
            }
            self.store(geometry.area_at(superblock.area()) + at * BLOCK, &bytes)?;
            at += chunk.len() as u64;
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
