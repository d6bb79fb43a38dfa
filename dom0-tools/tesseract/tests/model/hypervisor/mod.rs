//! The hypervisor's side of the contract, with guests that touch, evict, read and write at will.

use crate::oracle::Content;
mod commands;
mod guest;
mod requests;

use abi::BlockRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tesseract::{ReadSegment, WriteSegment};

pub const DOMAIN: u32 = 1;

#[derive(Clone, PartialEq, Debug)]
pub enum State {
    Zero,
    Resident {
        content: Content,
        clean: bool,
    },
    /// Leaving; `clean` as told.
    Out {
        content: Content,
        clean: bool,
    },
    /// `truth` is what must come back.
    Swapped {
        block: BlockRef,
        truth: Content,
    },
    /// A vCPU waits; it will store these words when it goes on.
    In {
        block: BlockRef,
        truth: Content,
        stores: Vec<(usize, u32)>,
    },
}

#[derive(Clone, Debug)]
pub struct Page {
    pub state: State,
    /// Cancelled page-outs that the daemon has not answered yet: the page is not evicted again before.
    pub zombie: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    PageOut {
        page: u64,
        clean: bool,
    },
    PageIn {
        page: u64,
        block: BlockRef,
    },
    Release {
        page: u64,
    },
    /// With its segments as of the posting.
    Request(u64, Vec<WriteSegment>, Vec<ReadSegment>),
}

/// A run of a request: whole page or part of one.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub page: u64,
    pub first: usize,
    pub sectors: usize,
}

impl Part {
    pub fn whole(&self) -> bool {
        self.sectors == 8
    }
}

#[derive(Clone, Debug)]
pub enum Kind {
    Write(Vec<Part>),
    Read(Vec<Part>),
    Zero { sectors: u64, unmap: bool },
    Flush,
}

#[derive(Clone, Debug)]
pub struct Request {
    pub seq: u64,
    pub disk: u16,
    pub sector: u64,
    pub kind: Kind,
    /// Pages that somebody else dirtied meanwhile.
    pub spoiled: BTreeSet<u64>,
    /// What R3 made superfluous.
    pub drops: BTreeMap<u64, BlockRef>,
    /// A read's sectors as copied in so far.
    pub copied: BTreeMap<u64, u32>,
    /// Told to a second daemon.
    pub again: bool,
}

impl Request {
    pub fn parts(&self) -> &[Part] {
        match &self.kind {
            Kind::Write(p) | Kind::Read(p) => p,
            _ => &[],
        }
    }
}

#[derive(Debug, Default)]
pub struct Hypervisor {
    pub pages: Vec<Page>,
    pub events: VecDeque<Event>,
    pub live: BTreeMap<u64, Request>,
    pub seq: u64,
    /// Words that guests stored since this was last looked at.
    pub stored: Vec<(u64, usize, u32)>,
    /// A variant: `MOVE_REFERENCE` also works on pages that are being read in.
    pub moves_in: bool,
}
