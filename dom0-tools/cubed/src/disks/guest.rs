//! Guests' disk requests: from the virtqueue to the map.

use super::Disks;
use super::info::tally;
use super::state::Live;
use crate::channel::hypervisor::Refused;
use crate::channel::{Hypervisor, Request};
use crate::devices::block::request::{HEADER, SERIAL, STATUS_IOERR, STATUS_OK};
use crate::devices::block::{Ask, parse};
use crate::devices::bytes::{answer, answer_at};
use crate::domains::record::DiskRecord;
use abi::event::{Segment, segment};
use protocol::DeviceCounters;
use tesseract::{Payload, ReadSegment, RequestId, WriteSegment};

impl Disks {
    /// Takes a request. What needs no I/O is answered at once.
    ///
    /// # Errors
    /// As the hypervisor refuses.
    pub fn serve(
        &mut self,
        hypervisor: &mut dyn Hypervisor,
        request: &Request,
        disk: &DiskRecord,
        counters: &mut DeviceCounters,
    ) -> Result<(), Refused> {
        // The header and a range came along: neither is ever a reference.
        let ask = parse(request, disk.sectors, disk.readonly);
        tally(counters, &ask);
        let ask = match ask {
            // Its disk could not be opened when the daemon began; the number may be no image's or another's.
            Ask::Read { .. } | Ask::Write { .. } | Ask::Flush | Ask::Clear { .. }
                if !self.media.uses(request.domain, disk.unit) =>
            {
                Ask::Answer(STATUS_IOERR)
            }
            ask => ask,
        };
        let name = RequestId { domain: request.domain, request: request.id };
        let live = Live { writable: request.writable, slot: request.slot };
        if !matches!(ask, Ask::Read { .. }) {
            self.release_dropped(request);
        }
        let actions = match ask {
            Ask::Empty => return answer(hypervisor, request, &[]),
            Ask::Answer(status) => return refuse(hypervisor, request, status),
            Ask::Serial => return serial(hypervisor, request, disk),
            Ask::Read { sector, .. } => {
                self.live.insert(name, live);
                let runs = reads(&request.segments, request.writable - 1);
                for s in request.segments.iter().filter(|s| s.flags & segment::DROPS != 0) {
                    if !runs.iter().any(|run| run.page == Some(s.page) && run.drops.is_some()) {
                        self.release(request.domain, s.page);
                    }
                }
                self.map.guest_read(name, disk.unit, sector * 512, &runs)
            }
            Ask::Write { sector, len } => {
                let Some(runs) = writes(&request.segments, u64::from(len)) else {
                    return refuse(hypervisor, request, STATUS_IOERR);
                };
                self.live.insert(name, live);
                self.map.guest_write(name, disk.unit, sector * 512, &runs)
            }
            Ask::Flush => {
                self.live.insert(name, live);
                self.map.guest_flush(name, disk.unit)
            }
            Ask::Clear { sector, sectors, unmap, .. } => {
                self.live.insert(name, live);
                self.map.guest_zero(name, disk.unit, &[(sector * 512, sectors * 512)], unmap)
            }
        };
        self.take(actions);
        Ok(())
    }

    /// The hypervisor gave swapped pages fresh frames for a request that the map is not told of.
    pub fn release_dropped(&mut self, request: &Request) {
        for s in request.segments.iter().filter(|s| s.flags & segment::DROPS != 0) {
            self.release(request.domain, s.page);
        }
    }
}

/// The runs of a write: the readable bytes behind the header. `None` if a reference does not
/// begin at a sector: nobody can take half a sector from it.
fn writes(segments: &[Segment], len: u64) -> Option<Vec<WriteSegment>> {
    let readable = segments.iter().filter(|s| s.flags & segment::WRITABLE == 0);
    let mut runs: Vec<WriteSegment> = Vec::new();
    for s in readable {
        let (first, end) = (u64::from(s.offset).max(HEADER), u64::from(s.offset) + u64::from(s.len));
        let end = end.min(HEADER + len);
        let (Ok(at), Ok(len)) = (u32::try_from(first), u32::try_from(end.saturating_sub(first))) else { continue };
        if len == 0 {
            continue;
        }
        let whole = s.flags & segment::WHOLE_PAGE != 0 && len == 4096;
        let payload = match s.kind {
            segment::REFERENCE if whole => Payload::Reference { page: s.page, block: s.block },
            segment::ZERO if whole => Payload::Zero,
            _ => Payload::Data { at, page: whole.then_some(s.page) },
        };
        // Runs of a request must be whole sectors: pieces that are not pages are put together.
        match (runs.last_mut(), payload) {
            (
                Some(WriteSegment { len: last, payload: Payload::Data { page: None, .. } }),
                Payload::Data { page: None, .. },
            ) => {
                *last += len;
            }
            _ => runs.push(WriteSegment { len, payload }),
        }
    }
    whole_sectors(runs)
}

/// Runs that begin or end inside a sector are put together with their neighbours, as bytes.
fn whole_sectors(runs: Vec<WriteSegment>) -> Option<Vec<WriteSegment>> {
    let mut merged: Vec<WriteSegment> = Vec::new();
    let mut at = u32::try_from(HEADER).ok()?;
    for run in runs {
        match merged.last_mut() {
            Some(last) if !last.len.is_multiple_of(512) => {
                if matches!(run.payload, Payload::Reference { .. }) {
                    return None;
                }
                last.len += run.len;
            }
            _ if run.len.is_multiple_of(512) => merged.push(run),
            _ => merged.push(WriteSegment { len: run.len, payload: Payload::Data { at, page: None } }),
        }
        at += run.len;
    }
    Some(merged)
}

/// The runs of a read: the writable bytes before the status.
fn reads(segments: &[Segment], len: u64) -> Vec<ReadSegment> {
    let mut runs: Vec<ReadSegment> = Vec::new();
    for s in segments.iter().filter(|s| s.flags & segment::WRITABLE != 0) {
        let end = (u64::from(s.offset) + u64::from(s.len)).min(len);
        let Ok(bytes) = u32::try_from(end.saturating_sub(u64::from(s.offset))) else { continue };
        if bytes == 0 {
            continue;
        }
        let whole = s.flags & segment::WHOLE_PAGE != 0 && bytes == 4096;
        let page = whole.then_some(s.page);
        let drops = (whole && s.flags & segment::DROPS != 0).then_some(s.block);
        match runs.last_mut() {
            Some(last) if last.page.is_none() && page.is_none() => last.len += bytes,
            // Bytes inside a sector cannot stand alone: the page gives up its name.
            Some(last) if !last.len.is_multiple_of(512) => {
                last.len += bytes;
                last.page = None;
            }
            _ => runs.push(ReadSegment { len: bytes, at: s.offset, page, drops }),
        }
    }
    runs
}

fn refuse(hypervisor: &mut dyn Hypervisor, request: &Request, status: u8) -> Result<(), Refused> {
    answer_at(hypervisor, request, request.writable.saturating_sub(1), &[status], request.writable)
}

fn serial(hypervisor: &mut dyn Hypervisor, request: &Request, disk: &DiskRecord) -> Result<(), Refused> {
    let room = usize::try_from(request.writable - 1).unwrap_or(usize::MAX).min(SERIAL);
    let mut bytes = disk.serial.as_bytes().to_vec();
    bytes.resize(SERIAL, 0);
    bytes.truncate(room);
    bytes.resize(usize::try_from(request.writable - 1).unwrap_or(0).min(4096), 0);
    bytes.push(STATUS_OK);
    answer(hypervisor, request, &bytes)
}
