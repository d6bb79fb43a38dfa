//! What the journal says, as a whole.

use crate::format::{Body, DiskEntry, ENTRIES, RECORDS};
use std::collections::BTreeMap;
use tesseract::{Record, RefTable};

/// References and known disks.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct State {
    pub(crate) refs: RefTable,
    pub(crate) disks: BTreeMap<u16, DiskEntry>,
}

impl State {
    pub(crate) fn apply(&mut self, body: &Body) {
        match body {
            Body::Records(records) => self.apply_records(records),
            Body::Disks(disks) => disks.iter().for_each(|d| self.apply_disk(d)),
        }
    }

    pub(crate) fn apply_records(&mut self, records: &[Record]) {
        // Slot counts are the map's business.
        let mut released = Vec::new();
        for record in records {
            self.refs.apply(record, &mut released);
            released.clear();
        }
    }

    pub(crate) fn apply_disk(&mut self, disk: &DiskEntry) {
        if disk.known {
            self.disks.insert(disk.disk, disk.clone());
        } else {
            self.disks.remove(&disk.disk);
        }
    }

    /// Bodies that build an equal state from an empty one.
    pub(crate) fn snapshot(&self) -> Vec<Body> {
        let disks: Vec<DiskEntry> = self.disks.values().cloned().collect();
        let disks = disks.chunks(ENTRIES).map(|c| Body::Disks(c.to_vec()));
        let records = self.refs.records();
        disks.chain(records.chunks(RECORDS).map(|c| Body::Records(c.to_vec()))).collect()
    }
}
