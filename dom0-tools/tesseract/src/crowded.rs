//! Writers that find no room for what they must preserve: they wait, and nothing is lost meanwhile.
//!
//! What ends the wait: a slot that becomes free; a dependent page that comes back, because its guest
//! touches it or, since the writer offers it, because the hypervisor has a frame to spare for it; the end of the
//! domain. The page-ins that bring dependents back need neither the range nor a slot, so no writer is in their way.

use crate::Map;
use crate::job::Preserved;
use crate::map::disk_ref;
use crate::queue::JobId;
use crate::state::PreservedBlocks;

impl Map {
    /// There is no room for what the job must preserve.
    pub(crate) fn crowd(&mut self, id: JobId) {
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        job.crowded.end(now);
        if !job.crowded.begin(now) {
            return;
        }
        let (range, len) = job.range();
        self.drop_idle(id);
        let most = usize::try_from(self.config.read_around).unwrap_or(1);
        let pages = self.swapped.within(range, len).map(|(_, page)| page);
        let back: Vec<_> = pages.filter(|&page| !self.in_transit(page)).take(most).collect();
        back.into_iter().for_each(|page| self.load(page, false, 0));
    }

    /// Lets go of the slots of blocks that nothing depends on any more: others, or the same job's other
    /// blocks, may wait for just those.
    fn drop_idle(&mut self, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let disk = job.disk;
        let (idle, kept): (PreservedBlocks, PreservedBlocks) =
            std::mem::take(&mut job.preserved).into_iter().partition(|(lba, state)| {
                let block = disk_ref(disk, *lba);
                matches!(state, Preserved::Ready(_))
                    && self.swapped.within(block, 1).next().is_none()
                    && self.pins.within(block, 1).next().is_none()
            });
        job.preserved = kept;
        idle.into_values().for_each(|state| self.slots.let_go(state.slot()));
    }
}
