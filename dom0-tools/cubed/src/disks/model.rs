//! Disks, store and journal in memory, for tests: accesses end late, out of order, and a killed
//! daemon's accesses have happened or not, whole.

#![allow(missing_docs, reason = "a test model")]

use super::{Finished, Io, Job};
use crate::channel::Hypervisor;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use tesseract::{BLOCK, Config, Extent, Map, Medium, Record, RefTable};

/// What survives daemons.
#[derive(Debug, Default)]
pub struct Drives {
    pub store: Vec<u8>,
    pub disks: BTreeMap<PathBuf, Vec<u8>>,
    pub journal: Vec<Record>,
    pub units: BTreeMap<u16, PathBuf>,
    /// Numbers of writable images, which may have references.
    pub numbers: BTreeMap<PathBuf, u16>,
    pub seed: u64,
    /// Writes to the store fail.
    pub store_broken: bool,
    /// Accesses that touch this slot fail.
    pub bad_slots: Vec<u64>,
    /// Appends to the journal fail.
    pub journal_broken: bool,
    /// What could not be appended.
    pub unwritten: Vec<Record>,
    pub store_writes: u64,
    pub store_reads: u64,
    pub disk_reads: u64,
}

impl Drives {
    /// A store of `slots` slots and no disks.
    pub fn new(slots: usize, seed: u64) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { store: vec![0; slots * 4096], seed: seed | 1, ..Self::default() }))
    }

    fn is_bad(&self, extent: Extent) -> bool {
        let bad = |slot: &u64| (extent.offset..extent.end()).contains(&(slot * BLOCK));
        extent.medium == Medium::Store && self.bad_slots.iter().any(bad)
    }

    fn random(&mut self, below: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        usize::try_from(self.seed % below as u64).unwrap()
    }

    fn bytes(&mut self, extent: Extent) -> &mut [u8] {
        let all = match extent.medium {
            Medium::Store => &mut self.store,
            Medium::Disk(unit) => self.disks.get_mut(&self.units[&unit]).expect("the disk is open"),
        };
        &mut all[usize::try_from(extent.offset).unwrap()..][..extent.len as usize]
    }

    /// The map that an executor of these drives begins with.
    pub fn map(&self) -> Map {
        let mut refs = RefTable::new();
        let mut released = Vec::new();
        for record in &self.journal {
            refs.apply(record, &mut released);
        }
        let mut config = Config::new(self.store.len() as u64 / BLOCK);
        config.reserve = config.slots / 8;
        Map::restore(config, refs).expect("the journal belongs to this store")
    }
}

/// One daemon's accesses to the drives.
pub struct Accesses {
    drives: Rc<RefCell<Drives>>,
    pending: Vec<(u64, Job, Vec<u8>)>,
    reserved: BTreeSet<u16>,
}

impl Accesses {
    pub fn new(drives: &Rc<RefCell<Drives>>) -> Self {
        drives.borrow_mut().units.clear();
        Self { drives: Rc::clone(drives), pending: Vec::new(), reserved: BTreeSet::new() }
    }

    fn carry_out(&mut self, index: usize, hypervisor: Option<&mut dyn Hypervisor>) -> Finished {
        let (token, job, bytes) = self.pending.remove(index);
        let mut drives = self.drives.borrow_mut();
        let mut result = Ok(());
        let buffer = match job {
            Job::Read { from, mut buffer } => {
                match from.medium {
                    Medium::Store => drives.store_reads += 1,
                    Medium::Disk(_) => drives.disk_reads += 1,
                }
                if drives.is_bad(from) {
                    result = Err(std::io::Error::from_raw_os_error(5));
                }
                let bytes = drives.bytes(from);
                if let Some(hypervisor) = hypervisor {
                    hypervisor.bytes_mut(&mut buffer)[..bytes.len()].copy_from_slice(bytes);
                }
                Some(buffer)
            }
            Job::Write { to, buffer } => {
                if to.medium == Medium::Store && drives.store_broken || drives.is_bad(to) {
                    result = Err(std::io::Error::from_raw_os_error(5));
                } else {
                    drives.store_writes += u64::from(to.medium == Medium::Store);
                    drives.bytes(to).copy_from_slice(&bytes);
                }
                Some(buffer)
            }
            Job::Zero { to, .. } => {
                drives.bytes(to).fill(0);
                None
            }
            Job::Sync(_) => None,
            Job::Journal(records) => {
                drives.unwritten.extend(records);
                if drives.journal_broken {
                    result = Err(std::io::Error::from_raw_os_error(5));
                } else {
                    let all = std::mem::take(&mut drives.unwritten);
                    drives.journal.extend(all);
                }
                None
            }
        };
        Finished { token, buffer, result }
    }

    /// Journal appends keep their order.
    fn pick(&self) -> usize {
        let index = self.drives.borrow_mut().random(self.pending.len());
        if matches!(self.pending[index].1, Job::Journal(_)) {
            self.pending.iter().position(|(_, job, _)| matches!(job, Job::Journal(_))).unwrap()
        } else {
            index
        }
    }
}

impl Io for Accesses {
    fn reserve(&mut self, unit: u16) {
        self.reserved.insert(unit);
    }

    fn open(&mut self, path: &Path, readonly: bool, unit: Option<u16>) -> Result<(u16, u64), String> {
        let mut drives = self.drives.borrow_mut();
        let size = drives.disks.get(path).map(Vec::len).ok_or("no such disk")?;
        let taken = |unit: &u16| drives.units.contains_key(unit) || drives.numbers.values().any(|used| used == unit);
        let fresh = || (1..).find(|unit| !taken(unit) && !self.reserved.contains(unit)).unwrap();
        let wanted = unit.filter(|unit| !taken(unit));
        let unit = drives.numbers.get(path).copied().or(wanted).unwrap_or_else(fresh);
        drives.units.insert(unit, path.to_owned());
        if !readonly {
            drives.numbers.insert(path.to_owned(), unit);
        }
        Ok((unit, size as u64))
    }

    fn close(&mut self, unit: u16, resolved: bool) {
        let mut drives = self.drives.borrow_mut();
        drives.units.remove(&unit);
        if resolved {
            drives.numbers.retain(|_, number| *number != unit);
        }
    }

    fn begin(&mut self, token: u64, job: Job, hypervisor: &mut dyn Hypervisor) {
        let bytes = match &job {
            Job::Write { to, buffer } => hypervisor.bytes(buffer)[..to.len as usize].to_vec(),
            _ => Vec::new(),
        };
        self.pending.push((token, job, bytes));
    }

    fn flush(&mut self) {}

    fn finished(&mut self, hypervisor: &mut dyn Hypervisor) -> Vec<Finished> {
        if self.pending.is_empty() || self.drives.borrow_mut().random(3) == 0 {
            return Vec::new();
        }
        let index = self.pick();
        vec![self.carry_out(index, Some(hypervisor))]
    }
}

impl Drop for Accesses {
    /// The daemon is killed: what was under way has happened or not.
    fn drop(&mut self) {
        let mut journal = true;
        while !self.pending.is_empty() {
            let happens = self.drives.borrow_mut().random(2) == 0;
            let is_journal = matches!(self.pending[0].1, Job::Journal(_));
            if happens && (journal || !is_journal) {
                self.carry_out(0, None);
            } else {
                journal &= !is_journal;
                self.pending.remove(0);
            }
        }
    }
}
