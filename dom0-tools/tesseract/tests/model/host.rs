//! dom0's media: what is written is there for a new daemon; what is synced survives a loss of power.

use crate::oracle::{Content, SECTORS, Sector};
use std::collections::BTreeMap;
use tesseract::{BLOCK, Durable, Extent, Medium, Record, RefTable};

/// Sector numbers of the store are on this "disk".
const STORE: u16 = u16::MAX;

#[derive(Default, Debug)]
pub struct Host {
    now: BTreeMap<Sector, u32>,
    durable: BTreeMap<Sector, u32>,
    /// Written since the medium's last sync, in order.
    volatile: Vec<(Sector, u32)>,
    journal: Vec<Record>,
    journal_durable: usize,
    pub journal_broken: bool,
    /// Records that could not be written.
    unwritten: Vec<Record>,
}

fn sectors(extent: Extent) -> impl Iterator<Item = Sector> {
    let disk = match extent.medium {
        Medium::Store => STORE,
        Medium::Disk(d) => d,
    };
    (extent.offset / 512..extent.end() / 512).map(move |s| (disk, s))
}

impl Host {
    pub fn read(&self, from: Extent) -> Vec<u32> {
        sectors(from).map(|s| self.now.get(&s).copied().unwrap_or(0)).collect()
    }

    /// Writes the sectors for which `mask` has a one (a killed write may have been partial).
    pub fn write(&mut self, to: Extent, data: &[u32], mask: u64) {
        assert_eq!(data.len() as u64, u64::from(to.len) / 512);
        for (i, (s, v)) in sectors(to).zip(data).enumerate() {
            if mask >> (i % 64) & 1 == 1 {
                self.now.insert(s, *v);
                self.volatile.push((s, *v));
            }
        }
    }

    pub fn block(&self, disk: u16, lba: u64) -> Content {
        let mut out = [0; SECTORS];
        out.copy_from_slice(&self.read(Extent { medium: Medium::Disk(disk), offset: lba * BLOCK, len: 4096 }));
        out
    }

    pub fn append(&mut self, records: &[Record]) -> bool {
        self.unwritten.extend(records);
        if self.journal_broken {
            return false;
        }
        if self.unwritten.len() > records.len() {
            // As the store does: a new generation with a snapshot, durable.
            let mut refs = RefTable::new();
            self.journal.iter().chain(&self.unwritten).for_each(|r| refs.apply(r, &mut Vec::new()));
            self.journal = refs.records();
            self.journal_durable = self.journal.len();
        } else {
            self.journal.extend(records);
        }
        self.unwritten.clear();
        true
    }

    pub fn sync(&mut self, what: Durable) {
        let disk = match what {
            Durable::Store => STORE,
            Durable::Disk(d) => d,
            Durable::Journal => {
                self.journal_durable = self.journal.len();
                return;
            }
        };
        let (done, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.volatile).into_iter().partition(|((d, _), _)| *d == disk);
        self.volatile = rest;
        for (s, v) in done {
            self.durable.insert(s, v);
        }
    }

    /// What a new daemon finds. `part`: of the records whose append failed, those that are there all the same.
    pub fn replay(&mut self, part: usize) -> RefTable {
        let part = part % (self.unwritten.len() + 1);
        self.journal.extend(self.unwritten.drain(..part));
        let mut refs = RefTable::new();
        self.journal.iter().for_each(|r| refs.apply(r, &mut Vec::new()));
        // As the store does: a new generation with a snapshot, durable.
        self.journal = refs.records();
        self.journal_durable = self.journal.len();
        self.journal_broken = false;
        self.unwritten.clear();
        refs
    }

    /// The power fails: each write since the last sync happened or not, in any combination.
    pub fn power_loss(&mut self, mut chance: impl FnMut() -> u64) -> RefTable {
        for (s, v) in std::mem::take(&mut self.volatile) {
            if chance().is_multiple_of(2) {
                self.durable.insert(s, v);
            }
        }
        self.now = self.durable.clone();
        let more = self.journal.len() - self.journal_durable;
        self.journal.truncate(self.journal_durable + chance() as usize % (more + 1));
        let mut refs = RefTable::new();
        self.journal.iter().for_each(|r| refs.apply(r, &mut Vec::new()));
        refs.roll_back();
        self.journal = refs.records();
        self.journal_durable = self.journal.len();
        self.journal_broken = false;
        self.unwritten.clear();
        refs
    }
}
