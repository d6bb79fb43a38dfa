//! A guest's memory for tests, and the driver side of a queue, written independently of the device side.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use virtio::descriptor::{Descriptor, INDIRECT, NEXT, WRITE};
use virtio::{ChainSegment, Fault, GuestMemory, Queue};

/// RAM from 0 up; pages in `absent` fault until [`Ram::bring`]; every access is counted.
pub struct Ram {
    pub bytes: Vec<u8>,
    pub absent: BTreeSet<u64>,
    pub accesses: usize,
}

impl Ram {
    pub fn new(pages: usize) -> Self {
        Self { bytes: vec![0; pages * 4096], absent: BTreeSet::new(), accesses: 0 }
    }

    pub fn bring(&mut self, gfn: u64) {
        assert!(self.absent.remove(&gfn), "page {gfn} was present");
    }

    pub fn put(&mut self, gpa: u64, bytes: &[u8]) {
        let at = gpa as usize;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    pub fn get<const N: usize>(&self, gpa: u64) -> [u8; N] {
        self.bytes[gpa as usize..][..N].try_into().unwrap()
    }

    pub fn get16(&self, gpa: u64) -> u16 {
        u16::from_le_bytes(self.get(gpa))
    }

    fn place(&mut self, gpa: u64, len: usize) -> Result<std::ops::Range<usize>, Fault> {
        self.accesses += 1;
        let end = gpa.checked_add(len as u64).filter(|end| *end <= self.bytes.len() as u64).ok_or(Fault::Bad(gpa))?;
        let mut pages = gpa >> 12..=(end - 1) >> 12;
        match pages.find(|gfn| self.absent.contains(gfn)) {
            Some(gfn) => Err(Fault::NotPresent(gfn)),
            None => Ok(gpa as usize..end as usize),
        }
    }
}

impl GuestMemory for Ram {
    fn read(&mut self, gpa: u64, to: &mut [u8]) -> Result<(), Fault> {
        let place = self.place(gpa, to.len())?;
        to.copy_from_slice(&self.bytes[place]);
        Ok(())
    }

    fn write(&mut self, gpa: u64, from: &[u8]) -> Result<(), Fault> {
        let place = self.place(gpa, from.len())?;
        self.bytes[place].copy_from_slice(from);
        Ok(())
    }

    fn check(&self, gpa: u64, len: u64) -> bool {
        gpa + len <= self.bytes.len() as u64
    }
}

pub const TABLE: u64 = 0x1000;
pub const AVAILABLE: u64 = 0x6000;
pub const USED: u64 = 0x8000;
pub const INDIRECT_TABLES: u64 = 0x1_0000;

/// The driver's side of a queue at the addresses above.
pub struct Driver {
    pub size: u16,
    free: Vec<u16>,
    chains: std::collections::BTreeMap<u16, Vec<u16>>,
    available: u16,
    seen: u16,
}

impl Driver {
    pub fn new(size: u16) -> Self {
        Self { size, free: (0..size).collect(), chains: Default::default(), available: 0, seen: 0 }
    }

    pub fn queue(&self, features: u64) -> Queue {
        Queue::new(self.size, TABLE, AVAILABLE, USED, features).unwrap()
    }

    /// Writes a descriptor into the table.
    pub fn describe(ram: &mut Ram, table: u64, index: u16, descriptor: Descriptor) {
        ram.put(table + 16 * u64::from(index), &descriptor.to_bytes());
    }

    /// Makes `head` available without further ado.
    pub fn offer(&mut self, ram: &mut Ram, head: u16) {
        ram.put(AVAILABLE + 4 + 2 * u64::from(self.available % self.size), &head.to_le_bytes());
        self.available = self.available.wrapping_add(1);
        ram.put(AVAILABLE + 2, &self.available.to_le_bytes());
    }

    /// Adds a chain; its head, or `None` if there are not enough descriptors.
    pub fn add(&mut self, ram: &mut Ram, segments: &[ChainSegment], indirect: bool) -> Option<u16> {
        let needed = if indirect { 1 } else { segments.len() };
        if self.free.len() < needed {
            return None;
        }
        let taken: Vec<u16> = self.free.drain(..needed).collect();
        let head = taken[0];
        let table = if indirect { INDIRECT_TABLES + u64::from(head) * 1024 } else { TABLE };
        for (n, segment) in segments.iter().enumerate() {
            let place = |n: usize| if indirect { n as u16 } else { taken[n] };
            let more = n + 1 < segments.len();
            let flags = if more { NEXT } else { 0 } | if segment.writable { WRITE } else { 0 };
            let next = if more { place(n + 1) } else { 0 };
            Self::describe(ram, table, place(n), Descriptor { gpa: segment.gpa, len: segment.len, flags, next });
        }
        if indirect {
            let len = 16 * segments.len() as u32;
            Self::describe(ram, TABLE, head, Descriptor { gpa: table, len, flags: INDIRECT, next: 0 });
        }
        self.chains.insert(head, taken);
        self.offer(ram, head);
        Some(head)
    }

    /// Takes the next used chain.
    pub fn take(&mut self, ram: &Ram) -> Option<(u16, u32)> {
        if ram.get16(USED + 2) == self.seen {
            return None;
        }
        let entry = u64::from_le_bytes(ram.get(USED + 4 + 8 * u64::from(self.seen % self.size)));
        self.seen = self.seen.wrapping_add(1);
        let head = u16::try_from(entry & 0xffff_ffff).unwrap();
        self.free.extend(self.chains.remove(&head).expect("a chain that was not given"));
        Some((head, (entry >> 32) as u32))
    }

    /// Asks for an interrupt at the next used chain (event index).
    pub fn want_interrupt(&self, ram: &mut Ram) {
        ram.put(AVAILABLE + 4 + 2 * u64::from(self.size), &self.seen.to_le_bytes());
    }

    /// The available index at which the device wants a notification (event index).
    pub fn available_event(&self, ram: &Ram) -> u16 {
        ram.get16(USED + 4 + 8 * u64::from(self.size))
    }

    /// Free-running available index.
    pub fn index(&self) -> u16 {
        self.available
    }
}
