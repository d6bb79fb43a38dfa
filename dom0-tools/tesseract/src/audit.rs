//! The books, added up from all sides.

use crate::Map;
use crate::job::Phase;
use crate::state::Pending;
use abi::BlockRef;

impl Map {
    /// Checks the invariants; the first offence in words. For tests and `cube doctor`: it visits everything.
    ///
    /// 1. A slot's count is the number of those that refer to it; free exactly if 0 and settled.
    /// 2. A disk block that anything depends on is at home, and no job is changing it.
    ///
    /// # Errors
    /// A sentence that names the offender.
    pub fn audit(&self) -> Result<(), String> {
        let mut counts = vec![0u32; usize::try_from(self.slots.total()).unwrap_or(0)];
        let mut add = |block: BlockRef| {
            if block.kind() == BlockRef::SWAP
                && let Ok(i) = usize::try_from(block.block())
                && let Some(c) = counts.get_mut(i)
            {
                *c += 1;
            }
        };
        let slot = crate::map::slot_ref;
        self.swapped.iter().for_each(|(_, b)| add(b));
        self.clean.iter().for_each(|(_, b)| add(b));
        self.pins.iter().for_each(|(_, b)| add(b));
        self.refs.holds().for_each(|s| add(slot(s)));
        let orphans = self.jobs.values().filter_map(|j| j.orphan.as_ref());
        self.requests.values().chain(orphans).flat_map(|r| &r.drops).for_each(|&s| add(slot(s)));
        self.jobs.values().flat_map(|j| j.preserved.values()).for_each(|p| add(slot(p.slot())));
        self.jobs.values().flat_map(|j| &j.released).chain(&self.sick.kept).for_each(|&s| add(slot(s)));
        for pending in self.pending.values() {
            match pending {
                Pending::SavePage { slot: s, .. } => add(slot(*s)),
                Pending::PageOut { block, .. } | Pending::Load { block, .. } => add(*block),
                Pending::Move { new, .. } => add(*new),
                _ => {}
            }
        }
        self.slots.audit(&counts)?;
        self.audit_disks()
    }

    fn audit_disks(&self) -> Result<(), String> {
        let named = self.swapped.iter().map(|(_, b)| b).chain(self.clean.iter().map(|(_, b)| b));
        for block in named.chain(self.pins.iter().map(|(_, b)| b)) {
            if block.kind() == BlockRef::DISK && self.refs.current(block.unit(), block.block()).is_some() {
                return Err(format!(
                    "disk {} block {}: named as home, but it is in a slot",
                    block.unit(),
                    block.block()
                ));
            }
        }
        for (id, job) in &self.jobs {
            if matches!(job.phase, Phase::Io | Phase::Journal) && job.writes() {
                let (first, len) = job.range();
                let pages =
                    self.swapped.within(first, len).next().is_some() || self.clean.within(first, len).next().is_some();
                let pins = self.pins.within(first, len).any(|(b, pin)| pin.0 != *id || self.pin_target(pin) != Some(b));
                if pages || pins {
                    return Err(format!(
                        "disk {}: blocks from {} change while something depends on them",
                        job.disk,
                        job.first()
                    ));
                }
            }
        }
        Ok(())
    }
}
