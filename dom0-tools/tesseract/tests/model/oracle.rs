//! What a disk must read as: plain sectors, with the values that a loss of power may bring back.

use std::collections::BTreeMap;

pub const SECTORS: usize = 8;
/// A block's or page's content: one word stands for 512 bytes.
pub type Content = [u32; SECTORS];
/// (disk, sector number)
pub type Sector = (u16, u64);

#[derive(Clone, Debug)]
struct Entry {
    seq: u64,
    values: Vec<u32>,
    done: bool,
}

/// A sector: what is durable, then all writes since, in the order of submission.
#[derive(Clone, Debug)]
struct Cell {
    base: Vec<u32>,
    log: Vec<Entry>,
}

impl Cell {
    fn at(&self, seq: u64) -> &[u32] {
        self.log.iter().rev().find(|e| e.seq <= seq).map_or(&self.base, |e| &e.values)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Oracle {
    cells: BTreeMap<Sector, Cell>,
    /// For each live flush: per sector, the last write that it covers.
    flushes: BTreeMap<u64, BTreeMap<Sector, u64>>,
}

impl Oracle {
    fn cell(&mut self, sector: Sector) -> &mut Cell {
        self.cells.entry(sector).or_insert(Cell { base: vec![0], log: Vec::new() })
    }

    pub fn write(&mut self, seq: u64, sector: Sector, value: u32) {
        self.cell(sector).log.push(Entry { seq, values: vec![value], done: false });
    }

    /// The write may have stored this instead.
    pub fn or(&mut self, seq: u64, sector: Sector, value: u32) {
        if let Some(e) = self.cell(sector).log.iter_mut().find(|e| e.seq == seq) {
            e.values.push(value);
        }
    }

    pub fn write_done(&mut self, seq: u64, sector: Sector, ok: bool) {
        let cell = self.cell(sector);
        let Some(i) = cell.log.iter().position(|e| e.seq == seq) else {
            return;
        };
        cell.log[i].done = true;
        if !ok {
            // Old or new, from now on: later writes were submitted after this one, so they still win.
            let old = if i == 0 { cell.base.clone() } else { cell.log[i - 1].values.clone() };
            cell.log[i].values.extend(old);
        }
    }

    /// Checks a value that a read submitted at `seq` returned. `loose`: the read was told twice,
    /// so later writes may have come first.
    pub fn read(&mut self, seq: u64, sector: Sector, value: u32, loose: bool) {
        let cell = self.cell(sector);
        let fits =
            cell.at(seq).contains(&value) || loose && cell.log.iter().any(|e| e.seq > seq && e.values.contains(&value));
        assert!(
            fits,
            "sector {sector:?}: read {value}, expected one of {:?} (log {:?}, read at {seq})",
            cell.at(seq),
            cell.log
        );
        if !loose {
            // What was seen once is seen again.
            match cell.log.iter_mut().rev().find(|e| e.seq <= seq) {
                Some(e) if e.done => e.values = vec![value],
                None => {}
                Some(_) => {}
            }
        }
    }

    /// Checks what is on the medium when nothing is live.
    pub fn check(&mut self, sector: Sector, value: u32) {
        self.read(u64::MAX, sector, value, false);
    }

    pub fn flush(&mut self, seq: u64, disk: u16) {
        let mut covered = BTreeMap::new();
        for (sector, cell) in self.cells.iter().filter(|(s, _)| s.0 == disk) {
            if let Some(e) = cell.log.iter().rev().find(|e| e.done) {
                covered.insert(*sector, e.seq);
            }
        }
        self.flushes.insert(seq, covered);
    }

    pub fn flush_done(&mut self, seq: u64, ok: bool) {
        let Some(covered) = self.flushes.remove(&seq) else {
            return;
        };
        for (sector, last) in covered.into_iter().filter(|_| ok) {
            let cell = self.cell(sector);
            while let Some(e) = cell.log.first().filter(|e| e.seq <= last) {
                cell.base = e.values.clone();
                cell.log.remove(0);
            }
        }
    }

    pub fn power_loss(&mut self) {
        self.flushes.clear();
        for cell in self.cells.values_mut() {
            let log = std::mem::take(&mut cell.log);
            cell.base.extend(log.into_iter().flat_map(|e| e.values));
        }
    }
}
