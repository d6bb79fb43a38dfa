//! An executor that carries actions out in any order, stage by stage.

use super::{Stage, World};
use crate::hypervisor::{DOMAIN, Event, Kind};
use crate::oracle::Content;
use tesseract::*;

impl World {
    /// Feeds one event to the map.
    pub fn event(&mut self) -> bool {
        let Some(event) = self.hypervisor.events.pop_front() else {
            return false;
        };
        let actions = match event {
            Event::PageOut { page, clean } => self.map.page_out(self.id(page), clean),
            Event::PageIn { page, block } => self.map.page_in(self.id(page), block),
            Event::Release { page } => self.map.release(self.id(page)),
            Event::Request(id, writes, reads) => {
                let Some(r) = self.hypervisor.live.get(&id) else {
                    return true;
                };
                let (disk, offset, request) = (r.disk, r.sector * 512, RequestId { domain: DOMAIN, request: id });
                match r.kind {
                    Kind::Write(_) => self.map.guest_write(request, disk, offset, &writes),
                    Kind::Read(_) => self.map.guest_read(request, disk, offset, &reads),
                    Kind::Zero { sectors, unmap } => {
                        // In two ranges, as a guest may ask.
                        let first = sectors.div_ceil(2) * 512;
                        let mut ranges = vec![(offset, first)];
                        ranges.extend((sectors > 1).then_some((offset + first, sectors * 512 - first)));
                        self.map.guest_zero(request, disk, &ranges, unmap)
                    }
                    Kind::Flush => self.map.guest_flush(request, disk),
                }
            }
        };
        self.take(actions);
        true
    }

    pub fn settle(&mut self) {
        while self.event() {}
        self.now += self.chance() % 50;
        self.map.set_time(self.now);
        let actions = self.map.settle();
        self.take(actions);
    }

    /// Takes the youngest piece of work one stage further, but none of the `spared` oldest.
    pub fn work_after(&mut self, spared: usize) -> bool {
        self.work.len() > spared && self.work(self.work.len() - 1)
    }

    /// Takes one piece of work one stage further.
    pub fn work(&mut self, pick: usize) -> bool {
        if self.work.is_empty() {
            return false;
        }
        let i = pick % self.work.len();
        let fails = self.chance() % 100 < u64::from(self.faults);
        let mut work = self.work.swap_remove(i);
        work.stage = match (&work.action.op, work.stage) {
            (_, Stage::Over(outcome)) => {
                self.report(work.action.id, outcome);
                return true;
            }
            (Op::Write { to, .. }, Stage::New) if fails && to.medium == Medium::Store => {
                Stage::Over(if self.chance().is_multiple_of(2) { Outcome::NoRoom } else { Outcome::Failed })
            }
            (Op::Write { .. } | Op::Read { .. }, Stage::New) if fails => Stage::Over(Outcome::Failed),
            (Op::Write { to, pieces }, Stage::New) => self.gather(*to, &pieces.clone()),
            (Op::Write { to, .. }, Stage::Have(data)) => {
                let mask = if fails { self.chance() } else { u64::MAX };
                self.host.write(*to, &data, mask);
                Stage::Over(if fails { Outcome::Failed } else { Outcome::Done })
            }
            (Op::Read { from, .. } | Op::Load { from, .. }, Stage::New) => Stage::Have(self.host.read(*from)),
            (Op::Read { request, at, .. }, Stage::Have(data)) => {
                assert!(at % 512 == 0);
                for (i, value) in data.iter().enumerate() {
                    self.hypervisor.copy_in(request.request, *at as usize / 512 + i, *value);
                }
                Stage::Over(Outcome::Done)
            }
            (Op::Load { page, block, keep, demanded, .. }, Stage::Have(data)) => {
                let content: Content = data.try_into().unwrap();
                // What was not asked for is declined, and now and then no frame is free.
                let decline = self.chance().is_multiple_of(if *demanded { 8 } else { 4 });
                let taken = self.hypervisor.page_in_done(page.page, *block, content, *keep, decline);
                self.note_stores();
                // The result is reported before any later event.
                let outcome = if taken { Outcome::Done } else { Outcome::Declined };
                self.report(work.action.id, outcome);
                return true;
            }
            (Op::Zero { to, .. }, Stage::New) => {
                self.host.write(*to, &vec![0; to.len as usize / 512], u64::MAX);
                Stage::Over(Outcome::Done)
            }
            (Op::Sync(what), Stage::New) => {
                self.host.sync(*what);
                Stage::Over(Outcome::Done)
            }
            other => panic!("{other:?}"),
        };
        self.work.push(work);
        true
    }

    fn gather(&mut self, to: Extent, pieces: &[Piece]) -> Stage {
        assert_eq!(pieces.iter().map(|p| p.len).sum::<u32>(), to.len);
        assert!(to.len <= self.config.max_run.max(BLOCK_LEN), "{to:?}");
        let mut data = Vec::new();
        for position in (0..to.len).step_by(512) {
            let (mut piece, mut start) = (pieces[0], 0);
            for next in pieces {
                if start + next.len > position {
                    piece = *next;
                    break;
                }
                start += next.len;
            }
            let inner = position - start;
            data.push(match piece.source {
                Source::Zero => 0,
                Source::Request { request, at } => {
                    assert!((at + inner - 16).is_multiple_of(512));
                    self.hypervisor.copy_out(request.request, (at + inner - 16) as usize / 512)
                }
                Source::Host(from) => {
                    let one = Extent { offset: from.offset + u64::from(inner), len: 512, ..from };
                    self.host.read(one)[0]
                }
                Source::Page(page) => match self.hypervisor.copy_page(page.page) {
                    Some(content) => content[inner as usize / 512],
                    None => return Stage::Over(Outcome::Declined),
                },
            });
        }
        Stage::Have(data)
    }

    /// Carries the oldest hypervisor command out.
    pub fn command(&mut self, report: bool) -> bool {
        let Some(Action { id, op }) = self.commands.pop_front() else {
            return false;
        };
        let outcome = match op {
            Op::PageOutDone { page, block } => self.hypervisor.page_out_done(page.page, block),
            Op::PageOutFailed { page, .. } => {
                self.hypervisor.page_out_failed(page.page);
                true
            }
            Op::MoveReference { page, old, new } => self.hypervisor.move_reference(page.page, old, new),
            Op::Complete { request, status, associate } => {
                self.complete(request.request, status == Status::Ok, associate);
                true
            }
            Op::Retry { .. } => true,
            Op::Resolved { ok, .. } => {
                self.resolved.push(ok);
                true
            }
            other => panic!("{other:?}"),
        };
        if report {
            self.report(id, if outcome { Outcome::Done } else { Outcome::Declined });
        }
        true
    }

    fn complete(&mut self, id: u64, ok: bool, associate: bool) {
        let r = self.hypervisor.complete(id, associate).expect("completed twice");
        self.errors += u32::from(!ok);
        let count: u64 = match r.kind {
            Kind::Zero { sectors, .. } => sectors,
            _ => r.parts().iter().map(|p| p.sectors as u64).sum(),
        };
        for i in 0..count {
            let sector = (r.disk, r.sector + i);
            if !matches!(r.kind, Kind::Read(_)) {
                self.oracle.write_done(r.seq, sector, ok);
            } else if ok {
                let value = *r.copied.get(&i).expect("a sector was not read");
                self.oracle.read(r.seq, sector, value, r.again);
            }
        }
        if matches!(r.kind, Kind::Flush) {
            self.oracle.flush_done(r.seq, ok);
        }
    }

    pub fn append(&mut self) -> bool {
        let Some(Action { id, op: Op::Journal(records) }) = self.journal.pop_front() else {
            return false;
        };
        let outcome = if self.host.append(&records) { Outcome::Done } else { Outcome::Failed };
        self.report(id, outcome);
        true
    }
}
