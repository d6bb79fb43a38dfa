//! Guests, with the oracle told of all that they do.

use super::{LBAS, World};
use crate::hypervisor::{Kind, Part};
use crate::oracle::SECTORS;

impl World {
    pub fn store(&mut self, page: u64, at: usize) {
        self.value += 1;
        self.hypervisor.store(page, at, self.value);
        self.note_stores();
    }

    /// A guest that stores to a page in a live write gets the old or the new word on its disk.
    pub(super) fn note_stores(&mut self) {
        for (page, at, value) in std::mem::take(&mut self.hypervisor.stored) {
            for r in self.hypervisor.live.values().filter(|r| matches!(r.kind, Kind::Write(_))) {
                let mut sector = r.sector;
                for part in r.parts() {
                    if part.page == page && (part.first..part.first + part.sectors).contains(&at) {
                        self.oracle.or(r.seq, (r.disk, sector + (at - part.first) as u64), value);
                    }
                    sector += part.sectors as u64;
                }
            }
        }
    }

    pub fn transfer(&mut self, write: bool, disk: u16, sector: u64, parts: Vec<Part>) {
        let sectors: usize = parts.iter().map(|p| p.sectors).sum();
        if sector + sectors as u64 > LBAS * SECTORS as u64 {
            return;
        }
        let words = self.hypervisor.words(&parts);
        let kind = if write { Kind::Write(parts) } else { Kind::Read(parts) };
        if let (Some(seq), true, Some(words)) = (self.hypervisor.submit(disk, sector, kind), write, words) {
            for (i, word) in (0..).zip(words) {
                self.oracle.write(seq, (disk, sector + i), word);
            }
        }
    }

    pub fn zero(&mut self, disk: u16, sector: u64, sectors: u64, unmap: bool) {
        let sectors = sectors.min(LBAS * SECTORS as u64 - sector);
        if let Some(seq) = self.hypervisor.submit(disk, sector, Kind::Zero { sectors, unmap }) {
            (sector..sector + sectors).for_each(|s| self.oracle.write(seq, (disk, s), 0));
        }
    }

    pub fn flush(&mut self, disk: u16) {
        if let Some(seq) = self.hypervisor.submit(disk, 0, Kind::Flush) {
            self.oracle.flush(seq, disk);
        }
    }
}
