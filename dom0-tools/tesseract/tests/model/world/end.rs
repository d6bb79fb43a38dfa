//! The end of a history: everything comes to rest and is compared.

use super::{DISKS, LBAS, PAGES, World};
use crate::hypervisor::{Part, State};
use crate::oracle::SECTORS;
use tesseract::Op;

impl World {
    /// Lets everything that is under way end.
    pub fn drain(&mut self) {
        for _ in 0..5000 {
            self.settle();
            let pick = self.chance() as usize;
            let worked = self.command(true) | self.append() | self.work(pick);
            if !worked && self.hypervisor.events.is_empty() {
                self.now += 10_000;
                self.map.set_time(self.now);
                let actions = self.map.settle();
                // A journal that stays broken is asked for ever.
                let over = self.host.journal_broken || actions.is_empty();
                let over = over && actions.iter().all(|a| matches!(a.op, Op::Journal(_)));
                self.take(actions);
                // A writer may wait for room that only others can make.
                if over && (self.hypervisor.live.is_empty() || !self.neighbour_goes()) {
                    self.append();
                    break;
                }
            }
        }
        self.map.audit().unwrap();
        assert!(self.hypervisor.live.is_empty(), "hangs: {:?}\n{:?}", self.hypervisor.live, self.map);
        for (i, p) in self.hypervisor.pages.iter().enumerate() {
            assert!(!matches!(p.state, State::In { .. } | State::Out { .. }), "page {i} hangs: {p:?}\n{:?}", self.map);
        }
    }

    /// Every page and every disk block holds what it must; the images stand alone afterwards.
    pub fn check(&mut self, journal_works: bool) {
        self.faults = 0;
        self.drain();
        for disk in DISKS {
            for lba in 0..LBAS {
                let parts = vec![Part { page: PAGES as u64 - 1, first: 0, sectors: SECTORS }];
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
                    self.oracle.check((disk, lba * SECTORS as u64 + s as u64), value);
                }
            }
            self.map.detach(disk, false).unwrap();
        }
        assert_eq!(self.resolved, [true, true]);
        assert_eq!(self.map.totals().ref_lbas, 0);
    }
}
