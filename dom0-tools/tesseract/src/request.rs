//! Guests' requests: from the event to jobs, and from finished jobs to the answer.

use crate::action::{Action, Op, Status};
use crate::job::{Content, Job, Kind, Run};
use crate::map::disk_ref;
use crate::state::{PageUse, Pending, Request, Waiter};
use crate::{BLOCK, BLOCK_LEN, Map, PageId, Payload, ReadSegment, RequestId, SECTOR, WriteSegment};
use abi::BlockRef;

impl Map {
    /// A guest reads `segments` from byte `offset` of `disk` on.
    pub fn guest_read(&mut self, request: RequestId, disk: u16, offset: u64, segments: &[ReadSegment]) -> Vec<Action> {
        let len = segments.iter().map(|s| u64::from(s.len)).sum();
        if !self.admit(request, disk, offset, len) {
            return self.finish_call();
        }
        let mut record = Request { reads: true, ..Request::default() };
        // A part of a page has no name here, and may be a part of one of the whole pages.
        let nameable = segments.iter().all(|s| s.page.is_some());
        let mut at = offset;
        for segment in segments {
            if let Some(page) = segment.page.map(|page| PageId { domain: request.domain, page }) {
                self.use_page(&mut record, page, at_block(disk, at, segment.len).filter(|_| nameable));
                if segment.drops.is_some() {
                    self.drop_content(&mut record, page);
                }
            }
            at += u64::from(segment.len);
        }
        self.requests.insert(request, record);
        self.of(request.domain).guest_reads += 1;
        let job = Job::new(Some(request), disk, offset, len, Kind::Read(segments.to_vec()));
        self.add_job(job);
        self.finish_call()
    }

    /// A guest writes `segments` to byte `offset` of `disk` and on.
    pub fn guest_write(
        &mut self,
        request: RequestId,
        disk: u16,
        offset: u64,
        segments: &[WriteSegment],
    ) -> Vec<Action> {
        let len = segments.iter().map(|s| u64::from(s.len)).sum();
        if !self.admit(request, disk, offset, len) {
            return self.finish_call();
        }
        let mut record = Request::default();
        let mut job = Job::new(Some(request), disk, offset, len, Kind::Write(Vec::new()));
        let id = self.next_job;
        let mut runs = Vec::with_capacity(segments.len());
        let mut at = offset;
        for segment in segments {
            let content = match segment.payload {
                Payload::Data { at: from, page } => {
                    if let Some(page) = page {
                        let page = PageId { domain: request.domain, page };
                        self.use_page(&mut record, page, at_block(disk, at, segment.len));
                    }
                    Content::Request { at: from }
                }
                Payload::Zero => Content::Zero,
                Payload::Reference { page, block } => {
                    let page = PageId { domain: request.domain, page };
                    match self.referenced(page, block) {
                        Some(block) if segment.len == BLOCK_LEN => {
                            self.hold(block);
                            self.pins.insert((id, job.pins), block);
                        }
                        _ => job.failed = true,
                    }
                    job.pins += 1;
                    Content::Pinned(job.pins - 1)
                }
            };
            runs.push(Run { len: segment.len, content });
            at += u64::from(segment.len);
        }
        job.kind = Kind::Write(runs);
        self.requests.insert(request, record);
        self.of(request.domain).guest_writes += 1;
        self.add_job(job);
        self.finish_call()
    }

    /// A guest gives ranges (first byte, bytes) up, or wants them to read as zeroes. Both make
    /// them zero; `unmap` allows the host to free the space.
    pub fn guest_zero(&mut self, request: RequestId, disk: u16, ranges: &[(u64, u64)], unmap: bool) -> Vec<Action> {
        if ranges.is_empty() || !ranges.iter().all(|&(offset, len)| self.fits(disk, offset, len)) {
            self.refuse(request);
            return self.finish_call();
        }
        if self.requests.contains_key(&request) {
            return self.finish_call();
        }
        // One job that holds all until the last range is done: a request that is told again after a
        // kill must not zero what a later request has written.
        let first = ranges.iter().map(|r| r.0).min().unwrap_or(0);
        let end = ranges.iter().map(|r| r.0 + r.1).max().unwrap_or(first);
        let kind = Kind::Zero { unmap, ranges: ranges.to_vec() };
        self.requests.insert(request, Request::default());
        self.add_job(Job::new(Some(request), disk, first, end - first, kind));
        self.finish_call()
    }

    /// A guest flushes its disk.
    pub fn guest_flush(&mut self, request: RequestId, disk: u16) -> Vec<Action> {
        if self.disks.contains_key(&disk) {
            self.flush_for(disk, Waiter::Request(request));
        } else {
            self.refuse(request);
        }
        self.finish_call()
    }

    fn fits(&self, disk: u16, offset: u64, len: u64) -> bool {
        self.disks.get(&disk).is_some_and(|d| {
            len > 0
                && offset.is_multiple_of(SECTOR)
                && len.is_multiple_of(SECTOR)
                && offset.checked_add(len).is_some_and(|end| end <= d.bytes)
        })
    }

    fn admit(&mut self, request: RequestId, disk: u16, offset: u64, len: u64) -> bool {
        if self.requests.contains_key(&request) {
            return false;
        }
        if !self.fits(disk, offset, len) {
            self.refuse(request);
            return false;
        }
        true
    }

    pub(crate) fn refuse(&mut self, request: RequestId) {
        self.of(request.domain).io_errors += 1;
        self.emit(Op::Complete { request, status: Status::IoError, associate: false }, Pending::Nothing);
    }

    fn use_page(&mut self, record: &mut Request, page: PageId, block: Option<BlockRef>) {
        let (uses, spoiled) = self.uses.entry(page).or_default();
        *uses += 1;
        *spoiled |= *uses > 1;
        record.pages.push(PageUse { page, block });
    }

    /// R3: the page has a fresh frame; what it was swapped to is dead. A slot is let go of when the request ends.
    fn drop_content(&mut self, record: &mut Request, page: PageId) {
        self.unsure.remove(&page);
        self.parked.remove(&page);
        if let Some(block) = self.swapped.remove(page) {
            self.of(page.domain).r3_fresh += 1;
            if block.kind() == BlockRef::SWAP {
                record.drops.push(block.block());
            }
        }
    }

    /// Where the content of a referenced page is. The event's word may be older than moves and
    /// page-ins of ours; the page's present reference, or the one that it left since, then names
    /// the same content.
    fn referenced(&self, page: PageId, told: BlockRef) -> Option<BlockRef> {
        let known = self.swapped.get(page).or_else(|| self.left.get(page));
        known.or_else(|| (self.recovering && self.is_known(told)).then_some(told))
    }

    fn add_job(&mut self, job: Job) {
        let id = self.next_job;
        self.next_job += 1;
        let granted =
            self.disks.get_mut(&job.disk).is_some_and(|d| d.queue.enter(id, job.first(), job.end(), job.writes()));
        self.jobs.insert(id, job);
        if granted {
            self.start(id);
        }
    }

    /// Resolve-all's jobs belong to no request.
    pub(crate) fn add_resolve_job(&mut self, disk: u16, first: u64, end: u64) {
        self.add_job(Job::new(None, disk, first * BLOCK, (end - first) * BLOCK, Kind::Resolve));
    }
}

fn at_block(disk: u16, at: u64, len: u32) -> Option<BlockRef> {
    (len == BLOCK_LEN && at.is_multiple_of(BLOCK)).then(|| disk_ref(disk, at / BLOCK))
}
