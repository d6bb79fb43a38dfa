//! Counters of the executor, and what clients are told of the store.

use super::Disks;
use crate::domains::Domain;
use protocol::{Counters, DeviceCounters, ErrorCode, Failure, Journal, Store};
use tesseract::{Extent, Medium, Op};

/// Since the daemon started.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read from the store.
    pub store_read: u64,
    /// Bytes written to the store.
    pub store_write: u64,
    /// Bytes written to the journal.
    pub journalled: u64,
    /// Page-outs refused for want of room.
    pub full: u64,
    /// I/O errors.
    pub errors: u64,
}

impl Counts {
    pub(super) fn written(&mut self, to: Extent) {
        if to.medium == Medium::Store {
            self.store_write += u64::from(to.len);
        }
    }

    pub(super) fn read(&mut self, from: Extent) {
        if from.medium == Medium::Store {
            self.store_read += u64::from(from.len);
        }
    }

    pub(super) fn note(&mut self, op: &Op) {
        if matches!(op, Op::PageOutFailed { reason: abi::event::fail::FULL, .. }) {
            self.full += 1;
        }
    }
}

impl Disks {
    /// True if there is somewhere to swap to.
    #[must_use]
    pub fn has_store(&self) -> bool {
        self.media.store().is_some()
    }

    /// The store, for clients.
    ///
    /// # Errors
    /// If there is none.
    pub fn store_info(&self) -> Result<Store, Failure> {
        let totals = self.map.totals();
        let path = self.media.store().ok_or_else(|| {
            let hint =
                "to swap, start cubed with --store PATH, or, where our init starts it, dom0 with hypercube.store=PATH";
            Failure::new(ErrorCode::Unsupported, "cubed was started without a swap store", hint)
        })?;
        let used = totals.slots.saturating_sub(totals.free).saturating_sub(totals.broken);
        Ok(Store {
            path: path.to_owned(),
            size_bytes: totals.slots * tesseract::BLOCK,
            used_bytes: used * tesseract::BLOCK,
            free_bytes: totals.free * tesseract::BLOCK,
            broken_bytes: totals.broken * tesseract::BLOCK,
            page_references: totals.swapped,
            disk_references: totals.ref_lbas,
            read_bytes: self.counts.store_read,
            write_bytes: self.counts.store_write + self.counts.journalled,
            journal_bytes: self.counts.journalled,
            commits: totals.commits,
            resolved: totals.resolved,
            full: self.counts.full,
            errors: self.counts.errors,
            journal: if self.map.journal_is_well() { Journal::Well } else { Journal::Failing },
            disks: self.media.shown(|unit| self.map.references(unit)),
        })
    }

    /// Adds what dom0 counts of a domain.
    #[expect(clippy::cast_precision_loss, reason = "an average")]
    pub fn count(&self, id: u32, domain: &Domain, counters: &mut Counters) {
        let stats = self.map.stats(id);
        counters.r1_hits = Some(stats.r1_hits);
        counters.r1_copies = Some(stats.r1_copies);
        counters.preserved = Some(stats.preserved);
        counters.ref_lbas = Some(domain.disks().map(|disk| self.map.references(disk.unit)).sum());
        counters.runs_per_guest_read =
            (stats.guest_reads > 0).then(|| stats.guest_read_runs as f64 / stats.guest_reads as f64);
    }

    /// The executor's counters.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

/// Counts a disk request.
pub(super) fn tally(counters: &mut DeviceCounters, ask: &crate::devices::block::Ask) {
    use crate::devices::block::Ask;
    match ask {
        Ask::Read { len, .. } => {
            counters.reads += 1;
            counters.read_bytes += u64::from(*len);
        }
        Ask::Write { len, .. } => {
            counters.writes += 1;
            counters.write_bytes += u64::from(*len);
        }
        Ask::Flush => counters.flushes += 1,
        Ask::Clear { .. } => counters.discards += 1,
        Ask::Serial | Ask::Answer(crate::devices::block::request::STATUS_OK) => {}
        Ask::Answer(_) | Ask::Empty => counters.errors += 1,
    }
}
