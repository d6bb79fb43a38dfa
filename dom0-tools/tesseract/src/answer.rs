//! From finished jobs to the answer: names for whole pages, the status, the next jobs.

use crate::Map;
use crate::action::{Op, Status};
use crate::job::Kind;
use crate::queue::JobId;
use crate::state::{Pending, Request};
use crate::{PageId, RequestId};

impl Map {
    /// A job's present part is done. It goes on with the next, or ends: names while the range is
    /// still held, then the answer, then the next jobs.
    pub(crate) fn finish_job(&mut self, id: JobId, ok: bool) {
        if ok
            && self.jobs.get(&id).is_some_and(|j| {
                j.request.is_some() && matches!(&j.kind, Kind::Zero { ranges, .. } if !ranges.is_empty())
            })
        {
            self.modify(id);
            return;
        }
        let Some(job) = self.jobs.remove(&id) else {
            return;
        };
        self.preserving.remove(&id);
        for pin in 0..job.pins {
            if let Some(block) = self.pins.remove((id, pin)) {
                self.let_go(block);
            }
        }
        for kept in job.preserved.values() {
            self.slots.let_go(kept.slot());
        }
        match job.request {
            Some(request) => {
                if ok {
                    let stats = self.of(request.domain);
                    stats.r1_hits += job.hits;
                    stats.r1_copies += job.copies;
                }
                self.answer(request, ok);
            }
            None if matches!(job.kind, Kind::Resolve) => {
                self.resolve_step_done(job.disk, job.first(), job.end(), ok);
            }
            None => self.tidy_up(job.orphan.unwrap_or_default()),
        }
        let mut ready = Vec::new();
        if let Some(disk) = self.disks.get_mut(&job.disk) {
            disk.queue.leave(id, &mut ready);
        }
        ready.into_iter().for_each(|next| self.start(next));
    }

    /// Nobody is answered: the domain is gone.
    fn tidy_up(&mut self, request: Request) {
        request.drops.iter().for_each(|&slot| self.slots.let_go(slot));
        for used in request.pages {
            self.end_use(used.page);
        }
    }

    fn answer(&mut self, id: RequestId, ok: bool) {
        let Some(request) = self.requests.remove(&id) else {
            return;
        };
        request.drops.iter().for_each(|&slot| self.slots.let_go(slot));
        let associate = self.name_pages(id, &request, ok);
        let status = if ok { Status::Ok } else { Status::IoError };
        self.of(id.domain).io_errors += u64::from(!ok);
        self.emit(Op::Complete { request: id, status, associate }, Pending::Nothing);
    }

    /// Gives the whole pages of a finished request their names, if every one can have one.
    fn name_pages(&mut self, id: RequestId, request: &Request, ok: bool) -> bool {
        let mut names = Vec::with_capacity(request.pages.len());
        for used in &request.pages {
            let spoiled = self.end_use(used.page);
            let content = used
                .block
                .filter(|_| !spoiled && ok)
                .map(|block| self.refs.current(block.unit(), block.block()).map_or(block, crate::map::slot_ref));
            names.push((used.page, content));
        }
        let all = !names.is_empty() && self.switches_of(id.domain).r2 && names.iter().all(|n| n.1.is_some());
        for (page, content) in names {
            match content {
                Some(block) if all => self.name(page, block),
                // What was read in replaced what the name stood for.
                _ if request.reads || content.is_none() => self.unname(page),
                _ => {}
            }
        }
        all
    }

    fn end_use(&mut self, page: PageId) -> bool {
        let Some((uses, spoiled)) = self.uses.get_mut(&page) else {
            return true;
        };
        *uses -= 1;
        let result = *spoiled;
        if *uses == 0 {
            self.uses.remove(&page);
        }
        result
    }
}
