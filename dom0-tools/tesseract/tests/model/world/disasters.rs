//! Kills of the daemon and losses of power.

use super::{PAGES, Stage, World};
use crate::hypervisor::Hypervisor;
use tesseract::{Action, Map, Op};

impl World {
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
            && let Some(Action { op: Op::Journal(records), .. }) = self.journal.pop_front()
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
        let part = self.chance() as usize;
        let refs = self.host.replay(part);
        self.map = Map::restore(self.config, refs).unwrap();
        self.prepare();
        let requests_first = self.chance().is_multiple_of(2);
        for (page, block) in self.hypervisor.attach(requests_first) {
            assert!(self.map.restore_page(self.id(page), block), "page {page}: {block:?} unknown");
        }
        self.neighbour_stays();
    }

    pub fn power_loss(&mut self) {
        self.drop_daemon();
        let mut random = self.random;
        let refs = self.host.power_loss(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            random >> 33
        });
        self.chance();
        self.oracle.power_loss();
        self.neighbour.clear();
        let (seq, moves_in) = (self.hypervisor.seq, self.hypervisor.moves_in);
        self.hypervisor = Hypervisor::new(PAGES, moves_in);
        self.hypervisor.seq = seq;
        self.map = Map::restore(self.config, refs).unwrap();
        self.prepare();
    }
}
