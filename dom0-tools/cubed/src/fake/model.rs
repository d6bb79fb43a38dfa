//! The state of the modelled hypervisor.

use crate::channel::Event;
use abi::BlockRef;
use abi::domain::DomainFlags;
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// 4 KiB.
pub type Frame = Box<[u8; 4096]>;

/// A page of zeroes.
pub fn zero() -> Frame {
    Box::new([0; 4096])
}

/// States of a guest page.
#[derive(Debug, Clone)]
pub enum PageState {
    /// In memory. `named`: unchanged since dom0 last named its content.
    Resident { frame: Frame, named: bool },
    /// In the store.
    Swapped(BlockRef),
    /// A page-out is live; the bytes are still here.
    Leaving { frame: Frame, clean: bool },
    /// A page-in is live.
    Coming(BlockRef),
}

/// A live virtqueue request.
#[derive(Debug, Clone)]
pub struct Live {
    pub slot: u32,
    pub queue: u32,
    pub readable: Vec<Cell>,
    pub writable: Vec<Cell>,
    pub posted: bool,
}

/// A run of bytes of a request.
#[derive(Debug, Clone)]
pub enum Cell {
    /// Bytes in memory that no page of the model stands for.
    Bytes(Vec<u8>),
    /// A resident whole page; `drops` is what it was swapped as before (R3), `changed` if the
    /// guest stored to it since the request began.
    Page { gfn: u64, drops: BlockRef, changed: bool },
    /// A swapped whole page handed over by name (R1).
    Reference { gfn: u64, block: BlockRef },
    /// An untouched page.
    Zero { gfn: u64 },
}

impl Cell {
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            _ => 4096,
        }
    }
}

/// A request that has ended, as the guest sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    pub slot: u32,
    pub queue: u32,
    pub written: u64,
    /// The bytes of the request's writable `Bytes` cells, one after the other.
    pub bytes: Vec<u8>,
}

/// A device as it was added.
#[derive(Debug, Clone)]
pub struct Device {
    pub kind: u32,
    pub features: u64,
    pub config: Vec<u8>,
}

/// A domain.
#[derive(Debug)]
pub struct Domain {
    pub name: String,
    pub state: u32,
    pub reason: u32,
    pub detail: u64,
    pub vcpus: u32,
    pub memory: u64,
    pub limit: u64,
    pub flags: DomainFlags,
    pub booted: bool,
    pub balloon: u64,
    pub devices: BTreeMap<u32, Device>,
    pub pages: BTreeMap<u64, PageState>,
    pub requests: BTreeMap<u64, Live>,
    pub used: BTreeMap<u64, Used>,
    pub reclaim: bool,
    pub power_button: u32,
    pub uart_input: Vec<u8>,
    pub teardown: u32,
}

/// The hypervisor.
#[derive(Debug, Default)]
pub struct Model {
    pub domains: BTreeMap<u32, Domain>,
    pub events: VecDeque<Event>,
    pub attached: bool,
    pub next_domain: u32,
    pub next_request: u64,
    /// Page-outs that the daemon reported as failed.
    pub failed: u64,
    /// Results of worked-off commands that were errors other than Again and Cancelled.
    pub refusals: Vec<(u32, abi::Error)>,
    /// No frame is free for pages that come back.
    pub no_frames: bool,
    /// `COMPLETE` ends with this error.
    pub complete_error: Option<abi::Error>,
    /// All commands worked off, by operation.
    pub counts: BTreeMap<u32, u64>,
    /// Commands left before the daemon is killed; `None` is never.
    pub fuse: Option<u32>,
}

impl Model {
    /// A hypervisor without domains.
    pub fn new() -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { next_domain: 1, next_request: 1, ..Self::default() }))
    }

    /// The domain of a name; the test fails if there is none.
    pub fn id(&self, name: &str) -> u32 {
        *self.domains.iter().find(|(_, domain)| domain.name == name).expect("the domain exists").0
    }

    /// The domain; the test fails if there is none.
    pub fn domain(&mut self, id: u32) -> &mut Domain {
        self.domains.get_mut(&id).expect("the domain exists")
    }

    /// The daemon is gone: the hypervisor posts nothing more until the next attach.
    pub fn detach(&mut self) {
        self.attached = false;
        self.events.clear();
        self.fuse = None;
    }
}
