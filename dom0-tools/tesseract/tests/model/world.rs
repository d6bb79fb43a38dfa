//! Everything together: the map under test, an executor that does things in any order, and the models.

use super::host::Host;
use super::hypervisor::{DOMAIN, Event, Hypervisor, Kind, Part, State};
use super::oracle::{Content, Oracle, SECTORS};
use std::collections::VecDeque;
use tesseract::*;

pub const DISKS: [u16; 2] = [1, 2];
pub const LBAS: u64 = 6;
pub const PAGES: usize = 9;

#[derive(Debug)]
enum Stage {
    New,
    Have(Vec<u32>),
    Over(Outcome),
}

#[derive(Debug)]
struct Work {
    action: Action,
    stage: Stage,
}

pub struct World {
    pub map: Map,
    pub config: Config,
    pub switches: Switches,
    pub hypervisor: Hypervisor,
    pub host: Host,
    pub oracle: Oracle,
    work: Vec<Work>,
    commands: VecDeque<Action>,
    journal: VecDeque<Action>,
    /// Percent of transfers that fail.
    pub faults: u32,
    pub resolved: Vec<bool>,
    pub random: u64,
    value: u32,
}

impl World {
    pub fn new(config: Config, switches: Switches, moves_in: bool) -> Self {
        let mut world = Self {
            map: Map::new(config),
            config,
            switches,
            hypervisor: Hypervisor::new(PAGES, moves_in),
            host: Host::default(),
            oracle: Oracle::default(),
            work: Vec::new(),
            commands: VecDeque::new(),
            journal: VecDeque::new(),
            faults: 0,
            resolved: Vec::new(),
            random: 0x9e37_79b9_7f4a_7c15,
            value: 0,
        };
        world.prepare();
        world
    }

    fn prepare(&mut self) {
        for disk in DISKS {
            self.map.attach(disk, LBAS * BLOCK).unwrap();
        }
        self.map.set_switches(DOMAIN, self.switches);
    }

    pub fn chance(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn id(&self, page: u64) -> PageId {
        PageId {
            domain: DOMAIN,
            page,
        }
    }

    fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action.op {
                Op::Write { .. }
                | Op::Read { .. }
                | Op::Zero { .. }
                | Op::Load { .. }
                | Op::Sync(_) => {
                    self.work.push(Work {
                        action,
                        stage: Stage::New,
                    });
                }
                Op::Journal(_) => self.journal.push_back(action),
                _ => self.commands.push_back(action),
            }
        }
    }

    fn report(&mut self, id: ActionId, outcome: Outcome) {
        let actions = self.map.complete(id, outcome);
        self.take(actions);
    }

    // --- the guest ---

    pub fn store(&mut self, page: u64, at: usize) {
        self.value += 1;
        self.hypervisor.store(page, at, self.value);
        self.note_stores();
    }

    /// A guest that stores to a page in a live write gets the old or the new word on its disk.
    fn note_stores(&mut self) {
        for (page, at, value) in std::mem::take(&mut self.hypervisor.stored) {
            for r in self
                .hypervisor
                .live
                .values()
                .filter(|r| matches!(r.kind, Kind::Write(_)))
            {
                let mut sector = r.sector;
                for part in r.parts() {
                    if part.page == page && (part.first..part.first + part.sectors).contains(&at) {
                        self.oracle
                            .or(r.seq, (r.disk, sector + (at - part.first) as u64), value);
                    }
                    sector += part.sectors as u64;
                }
            }
        }
    }

    pub fn transfer(&mut self, write: bool, disk: u16, sector: u64, parts: Vec<Part>) {
        let sectors: usize = parts.iter().map(|p| p.sectors).sum();
        if sector + sectors as u64 > LBAS * SECTORS as u64 {
            return;
        }
        let words = self.hypervisor.words(&parts);
        let kind = if write {
            Kind::Write(parts)
        } else {
            Kind::Read(parts)
        };
        if let (Some(seq), true, Some(words)) =
            (self.hypervisor.submit(disk, sector, kind), write, words)
        {
            for (i, word) in (0..).zip(words) {
                self.oracle.write(seq, (disk, sector + i), word);
            }
        }
    }

    pub fn zero(&mut self, disk: u16, sector: u64, sectors: u64, unmap: bool) {
        let sectors = sectors.min(LBAS * SECTORS as u64 - sector);
        if let Some(seq) = self
            .hypervisor
            .submit(disk, sector, Kind::Zero { sectors, unmap })
        {
            (sector..sector + sectors).for_each(|s| self.oracle.write(seq, (disk, s), 0));
        }
    }

    pub fn flush(&mut self, disk: u16) {
        if let Some(seq) = self.hypervisor.submit(disk, 0, Kind::Flush) {
            self.oracle.flush(seq, disk);
        }
    }

    // --- the daemon ---

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
                let (disk, offset, request) = (
                    r.disk,
                    r.sector * 512,
                    RequestId {
                        domain: DOMAIN,
                        request: id,
                    },
                );
                match r.kind {
                    Kind::Write(_) => self.map.guest_write(request, disk, offset, &writes),
                    Kind::Read(_) => self.map.guest_read(request, disk, offset, &reads),
                    Kind::Zero { sectors, unmap } => {
                        // In two ranges, as a guest may ask.
                        let first = sectors.div_ceil(2) * 512;
                        let mut ranges = vec![(offset, first)];
                        ranges.extend(
                            (sectors > 1).then_some((offset + first, sectors * 512 - first)),
                        );
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
        let actions = self.map.settle();
        self.take(actions);
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
            (Op::Write { .. } | Op::Read { .. }, Stage::New) if fails => {
                Stage::Over(Outcome::Failed)
            }
            (Op::Write { to, pieces }, Stage::New) => self.gather(*to, &pieces.clone()),
            (Op::Write { to, .. }, Stage::Have(data)) => {
                let mask = if fails { self.chance() } else { u64::MAX };
                self.host.write(*to, &data, mask);
                Stage::Over(if fails {
                    Outcome::Failed
                } else {
                    Outcome::Done
                })
            }
            (Op::Read { from, .. } | Op::Load { from, .. }, Stage::New) => {
                Stage::Have(self.host.read(*from))
            }
            (Op::Read { request, at, .. }, Stage::Have(data)) => {
                assert!(at % 512 == 0);
                for (i, value) in data.iter().enumerate() {
                    self.hypervisor
                        .copy_in(request.request, *at as usize / 512 + i, *value);
                }
                Stage::Over(Outcome::Done)
            }
            (
                Op::Load {
                    page,
                    block,
                    keep,
                    demanded,
                    ..
                },
                Stage::Have(data),
            ) => {
                let content: Content = data.try_into().unwrap();
                let decline = !demanded && self.chance().is_multiple_of(4);
                let taken = self
                    .hypervisor
                    .page_in_done(page.page, *block, content, *keep, decline);
                self.note_stores();
                // The result is reported before any later event.
                let outcome = if taken {
                    Outcome::Done
                } else {
                    Outcome::Declined
                };
                self.report(work.action.id, outcome);
                return true;
            }
            (Op::Zero { to, .. }, Stage::New) => {
                self.host
                    .write(*to, &vec![0; to.len as usize / 512], u64::MAX);
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
                    self.hypervisor
                        .copy_out(request.request, (at + inner - 16) as usize / 512)
                }
                Source::Host(from) => {
                    let one = Extent {
                        offset: from.offset + u64::from(inner),
                        len: 512,
                        ..from
                    };
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
            Op::MoveReference { page, old, new } => {
                self.hypervisor.move_reference(page.page, old, new)
            }
            Op::Complete {
                request,
                status,
                associate,
            } => {
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
            self.report(
                id,
                if outcome {
                    Outcome::Done
                } else {
                    Outcome::Declined
                },
            );
        }
        true
    }

    fn complete(&mut self, id: u64, ok: bool, associate: bool) {
        let r = self
            .hypervisor
            .complete(id, associate)
            .expect("completed twice");
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
        let Some(Action {
            id,
            op: Op::Journal(records),
        }) = self.journal.pop_front()
        else {
            return false;
        };
        let outcome = if self.host.append(&records) {
            Outcome::Done
        } else {
            Outcome::Failed
        };
        self.report(id, outcome);
        true
    }

    // --- disasters ---

    fn drop_daemon(&mut self) {
        self.work.clear();
        self.commands.clear();
        self.journal.clear();
    }

    /// SIGKILL, at any point: some things are done but not reported, some done in part.
    pub fn kill(&mut self) {
        let commands = self.chance() as usize % 3;
        for _ in 0..commands {
            self.command(false);
        }
        if self.chance().is_multiple_of(2)
            && let Some(Action {
                op: Op::Journal(records),
                ..
            }) = self.journal.pop_front()
        {
            let part = self.chance() as usize % (records.len() + 1);
            self.host.append(&records[..part]);
        }
        for work in std::mem::take(&mut self.work) {
            if let (Op::Write { to, .. }, Stage::Have(data)) = (&work.action.op, &work.stage) {
                let mask = self.chance() & self.chance();
                self.host.write(*to, data, mask);
            }
        }
        self.drop_daemon();
        let refs = self.host.replay();
        self.map = Map::restore(self.config, refs).unwrap();
        self.prepare();
        for (page, block) in self.hypervisor.attach() {
            assert!(
                self.map.restore_page(self.id(page), block),
                "page {page}: {block:?} unknown"
            );
        }
    }

    pub fn power_loss(&mut self) {
        self.drop_daemon();
        let mut random = self.random;
        let refs = self.host.power_loss(|| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            random >> 33
        });
        self.chance();
        self.oracle.power_loss();
        let (seq, moves_in) = (self.hypervisor.seq, self.hypervisor.moves_in);
        self.hypervisor = Hypervisor::new(PAGES, moves_in);
        self.hypervisor.seq = seq;
        self.map = Map::restore(self.config, refs).unwrap();
        self.prepare();
    }

    // --- the end ---

    /// Lets everything that is under way end.
    pub fn drain(&mut self) {
        for _ in 0..5000 {
            self.settle();
            let pick = self.chance() as usize;
            let worked = self.command(true) | self.append() | self.work(pick);
            if !worked && self.hypervisor.events.is_empty() {
                let actions = self.map.settle();
                if actions.is_empty() {
                    break;
                }
                self.take(actions);
            }
        }
        self.map.audit().unwrap();
        assert!(
            self.hypervisor.live.is_empty(),
            "hangs: {:?}\n{:?}",
            self.hypervisor.live,
            self.map
        );
        for (i, p) in self.hypervisor.pages.iter().enumerate() {
            assert!(
                !matches!(p.state, State::In { .. } | State::Out { .. }),
                "page {i} hangs: {p:?}\n{:?}",
                self.map
            );
        }
    }

    /// Every page and every disk block holds what it must; the images stand alone afterwards.
    pub fn check(&mut self, journal_works: bool) {
        self.faults = 0;
        self.drain();
        for disk in DISKS {
            for lba in 0..LBAS {
                let parts = vec![Part {
                    page: PAGES as u64 - 1,
                    first: 0,
                    sectors: SECTORS,
                }];
                self.transfer(false, disk, lba * SECTORS as u64, parts);
                self.drain();
            }
        }
        for page in 0..PAGES as u64 {
            self.hypervisor.touch(page);
            self.drain();
        }
        if !journal_works {
            return;
        }
        for disk in DISKS {
            let actions = self.map.resolve_all(disk).unwrap();
            self.take(actions);
            self.drain();
            for lba in 0..LBAS {
                for (s, value) in self.host.block(disk, lba).into_iter().enumerate() {
                    self.oracle
                        .check((disk, lba * SECTORS as u64 + s as u64), value);
                }
            }
            self.map.detach(disk, false).unwrap();
        }
        assert_eq!(self.resolved, [true, true]);
        assert_eq!(self.map.totals().ref_lbas, 0);
    }
}
