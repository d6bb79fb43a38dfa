//! The disk references: for every 4 KiB block of every disk, whether its content is at home or in
//! a slot, with the durable state kept beside the current one.
//!
//! The map holds one, and the journal holds another as its replica: both are made from the same
//! [`Record`]s. A loss of power brings back each disk as of its last commit ([`RefTable::roll_back`]);
//! a kill of the daemon loses nothing. Invariant: a slot appears here as often as histories hold it.

use crate::Record;
use crate::history::{self, History};
use std::collections::BTreeMap;

/// The references of one disk.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
struct DiskRefs {
    blocks: BTreeMap<u64, History>,
    /// Blocks whose history is open.
    open: std::collections::BTreeSet<u64>,
    /// Number of `Set` records so far; the position of the last one.
    position: u64,
    /// Marks that may still be committed, with their positions.
    marks: BTreeMap<u64, u64>,
}

/// The references of all disks.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct RefTable {
    disks: BTreeMap<u16, DiskRefs>,
    blocks: usize,
}

impl RefTable {
    /// No references.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one step. Each slot that the table lets go of is appended to `released`, once for
    /// each time it was held; a `Set` to a slot counts as one new hold first.
    pub fn apply(&mut self, record: &Record, released: &mut Vec<u64>) {
        let refs = self.disks.entry(record.disk()).or_default();
        match *record {
            Record::Set { lba, slot, .. } => {
                refs.position += 1;
                let mark = refs.marks.values().next_back().copied();
                let old = refs.blocks.remove(&lba);
                self.blocks -= usize::from(old.is_some());
                let new = history::set(old, refs.position, slot, mark, released);
                self.blocks += usize::from(refs.put(lba, new));
            }
            Record::Mark { mark, .. } => {
                refs.marks.insert(mark, refs.position);
            }
            Record::Commit { mark, .. } => {
                let Some(position) = refs.marks.get(&mark).copied() else {
                    return;
                };
                refs.marks = refs.marks.split_off(&mark);
                refs.marks.remove(&mark);
                let open: Vec<u64> = refs.open.iter().copied().collect();
                for lba in open {
                    if let Some(old) = refs.blocks.remove(&lba) {
                        let new = history::commit(old, position, released);
                        self.blocks -= usize::from(!refs.put(lba, new));
                    }
                }
            }
        }
    }

    /// The slot that holds the block's content; `None`: the content is at home.
    #[must_use]
    pub fn current(&self, disk: u16, lba: u64) -> Option<u64> {
        self.disks.get(&disk)?.blocks.get(&lba)?.current()
    }

    /// The blocks in `first..end` whose content is in a slot, ascending, with that slot.
    pub fn range(&self, disk: u16, first: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.disks
            .get(&disk)
            .into_iter()
            .filter(move |_| first < end)
            .flat_map(move |d| d.blocks.range(first..end))
            .filter_map(|(lba, h)| h.current().map(|slot| (*lba, slot)))
    }

    /// Blocks of this disk whose current state is not the durable one.
    #[must_use]
    pub fn tentative(&self, disk: u16) -> usize {
        self.disks.get(&disk).map_or(0, |d| d.open.len())
    }

    /// True if any state of the disk, durable or current, refers to a slot.
    #[must_use]
    pub fn refers(&self, disk: u16) -> bool {
        self.disks.get(&disk).is_some_and(|d| !d.blocks.is_empty())
    }

    /// Blocks of this disk with a history.
    #[must_use]
    pub fn len_of(&self, disk: u16) -> usize {
        self.disks.get(&disk).map_or(0, |d| d.blocks.len())
    }

    /// Blocks with a history, over all disks: what a journal has to hold.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.blocks
    }

    /// True if all blocks are at home, durably.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.blocks == 0
    }

    /// The disks that were ever named.
    pub fn disks(&self) -> impl Iterator<Item = u16> + '_ {
        self.disks.keys().copied()
    }

    /// Every hold on a slot, as often as it is held.
    pub fn holds(&self) -> impl Iterator<Item = u64> + '_ {
        self.disks.values().flat_map(|d| d.blocks.values()).flat_map(History::slots)
    }

    /// The highest mark that was seen on any disk and may still be committed.
    #[must_use]
    pub fn last_mark(&self) -> u64 {
        self.disks.values().filter_map(|d| d.marks.keys().next_back()).copied().max().unwrap_or(0)
    }

    /// Goes back to the state of each disk's last commit: what is true after a loss of power.
    pub fn roll_back(&mut self) {
        self.blocks = 0;
        for refs in self.disks.values_mut() {
            let blocks = std::mem::take(&mut refs.blocks);
            refs.blocks = blocks.iter().filter_map(|(lba, h)| Some((*lba, history::roll_back(h)?))).collect();
            refs.open.clear();
            refs.marks.clear();
            self.blocks += refs.blocks.len();
        }
    }

    /// Records that build an equal table from an empty one (a snapshot).
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut out = Vec::new();
        for (&disk, refs) in &self.disks {
            refs.snapshot(disk, &mut out);
        }
        out
    }
}

impl DiskRefs {
    /// Stores a block's history; true if there is one.
    fn put(&mut self, lba: u64, new: Option<History>) -> bool {
        match new {
            None => {
                self.open.remove(&lba);
                false
            }
            Some(h) => {
                if matches!(h, History::Open(_)) {
                    self.open.insert(lba);
                } else {
                    self.open.remove(&lba);
                }
                self.blocks.insert(lba, h);
                true
            }
        }
    }

    /// First the durable state, committed under mark 0, then the rest in its order.
    fn snapshot(&self, disk: u16, out: &mut Vec<Record>) {
        for (&lba, h) in &self.blocks {
            if let Some(slot) = h.durable() {
                out.push(Record::Set { disk, lba, slot: Some(slot) });
            }
        }
        if !out.is_empty() {
            out.push(Record::Mark { disk, mark: 0 });
            out.push(Record::Commit { disk, mark: 0 });
        }
        let mut rest: Vec<(u64, u8, Record)> = Vec::new();
        for (&lba, h) in &self.blocks {
            rest.extend(h.tentative().iter().map(|&(at, slot)| (at, 0, Record::Set { disk, lba, slot })));
        }
        rest.extend(self.marks.iter().map(|(&mark, &at)| (at, 1, Record::Mark { disk, mark })));
        rest.sort_by_key(|r| (r.0, r.1));
        out.extend(rest.into_iter().map(|r| r.2));
    }
}
