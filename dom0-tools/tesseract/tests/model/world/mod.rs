//! Everything together: the map under test, an executor that does things in any order, and the models.

mod disasters;
mod end;
mod executor;
mod guest;
mod neighbour;

use crate::host::Host;
use crate::hypervisor::{DOMAIN, Hypervisor};
use crate::oracle::Oracle;
use abi::BlockRef;
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
    /// Requests that ended with an I/O error.
    pub errors: u32,
    pub random: u64,
    /// Milliseconds.
    now: u64,
    value: u32,
    /// Another domain's swapped pages: they only take up room.
    neighbour: Vec<(PageId, BlockRef)>,
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
            errors: 0,
            now: 0,
            random: 0x9e37_79b9_7f4a_7c15,
            value: 0,
            neighbour: Vec::new(),
        };
        world.prepare();
        world
    }

    pub(super) fn prepare(&mut self) {
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

    pub(super) fn id(&self, page: u64) -> PageId {
        PageId { domain: DOMAIN, page }
    }

    pub fn take(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action.op {
                Op::Write { .. } | Op::Read { .. } | Op::Zero { .. } | Op::Load { .. } | Op::Sync(_) => {
                    self.work.push(Work { action, stage: Stage::New });
                }
                Op::Journal(_) => self.journal.push_back(action),
                _ => self.commands.push_back(action),
            }
        }
    }

    pub(super) fn report(&mut self, id: ActionId, outcome: Outcome) {
        let actions = self.map.complete(id, outcome);
        self.take(actions);
    }
}
