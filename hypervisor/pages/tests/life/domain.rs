//! A small hypervisor: what the real one does with pages, one page at a time.

use crate::common::Frames;
use crate::processor::Processor;
use abi::BlockRef;
use pages::{Event, FrameKind, FrameTable, Owner, P2m, PageState, Progress, Put, StateKind};
use paging::{Access, Cursor, FlushDebt, Format, Gfn, LargeExecute, MemoryType, Mfn, Size, TableCursor, Tree};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::AtomicU32;

const BASE: u64 = 0x9000;
const FRAMES: u64 = 8;
/// Few, so that much happens to each.
pub const PAGES: u64 = 3;

pub struct Domain<F: Format> {
    pub processor: Processor,
    mem: Frames,
    tree: Tree<F>,
    p2m: P2m,
    frames: FrameTable<'static>,
    owner: Owner,
    free: VecDeque<Mfn>,
    /// What is in each frame.
    content: BTreeMap<Mfn, u64>,
    /// What the guest believes is in each page.
    belief: BTreeMap<Gfn, u64>,
    /// dom0's store, and which block it knows a page by.
    store: BTreeMap<u64, u64>,
    names: BTreeMap<Gfn, BlockRef>,
    /// Names that live page-in records hold.
    records: BTreeMap<Gfn, BlockRef>,
    pins: BTreeMap<Gfn, Mfn>,
}

impl<F: Format> Domain<F> {
    pub fn new() -> Self {
        let mem = Frames::new();
        let records: &'static [AtomicU32] = (0..FRAMES).map(|_| AtomicU32::new(0)).collect::<Vec<_>>().leak();
        let frames = FrameTable::new(records, Mfn(BASE));
        let free: VecDeque<Mfn> = (BASE..BASE + FRAMES).map(Mfn).collect();
        for mfn in &free {
            frames.donate(*mfn).unwrap();
        }
        Self {
            processor: Processor::default(),
            tree: Tree::new(&mem, 4, LargeExecute::Allowed).unwrap(),
            p2m: P2m::new(&mem).unwrap(),
            mem,
            frames,
            owner: Owner::domain(3).unwrap(),
            free,
            content: BTreeMap::new(),
            belief: BTreeMap::new(),
            store: BTreeMap::new(),
            names: BTreeMap::new(),
            records: BTreeMap::new(),
            pins: BTreeMap::new(),
        }
    }

    fn state(&self, gfn: Gfn) -> PageState {
        self.p2m.get(&self.mem, gfn).unwrap()
    }

    fn apply(&mut self, gfn: Gfn, event: Event) -> PageState {
        self.p2m.apply(&self.mem, gfn, event).unwrap().1
    }

    fn claim(&mut self) -> Mfn {
        let mfn = self.free.pop_front().expect("a page holds one frame");
        assert!(!self.processor.remembers(mfn), "a frame is reused that a processor still reaches");
        self.frames.claim(mfn, FrameKind::Domain, self.owner).unwrap();
        self.content.insert(mfn, 0);
        mfn
    }

    fn map(&mut self, gfn: Gfn, mfn: Mfn) {
        self.tree.map(&self.mem, gfn, mfn, Size::Small, Access::RWX, MemoryType::WriteBack).unwrap();
    }

    /// Lets go of a page's own reference; `debt` is what its translation left behind.
    fn drop_frame(&mut self, mfn: Mfn, debt: FlushDebt) {
        let last = self.frames.put_ref(mfn).unwrap() == Put::Last;
        if last {
            self.frames.quarantine(mfn).unwrap();
        }
        debt.pay(&self.mem, || self.processor.flush());
        if last {
            self.frames.release(mfn).unwrap();
            self.free.push_back(mfn);
        }
    }

    /// Another vCPU writes through a translation that is gone already, then the flush comes.
    fn pay(&mut self, gfn: Gfn, late: Option<u64>, debt: FlushDebt) {
        debt.pay(&self.mem, || {
            if let (Some(value), Some(mfn)) = (late, self.processor.stale(gfn)) {
                self.content.insert(mfn, value);
                self.belief.insert(gfn, value);
            }
            self.processor.flush();
        });
    }

    /// A nested fault. False: the vCPU waits, and the access is tried again later.
    fn fault(&mut self, gfn: Gfn) -> bool {
        match self.state(gfn) {
            PageState::Absent | PageState::Ballooned => {
                let mfn = self.claim();
                self.apply(gfn, Event::Populate { mfn });
                self.map(gfn, mfn);
            }
            PageState::PagingOut { mfn, .. } => {
                self.apply(gfn, Event::PageOutCancelled);
                self.map(gfn, mfn);
            }
            PageState::Swapped { block } => {
                self.records.insert(gfn, block);
                self.apply(gfn, Event::PageInStart { record: gfn.0 as u32 });
                self.apply(gfn, Event::Wait);
                return false;
            }
            PageState::PagingIn { .. } | PageState::Dma { .. } => return false,
            state @ (PageState::Resident { .. } | PageState::Shared { .. }) => {
                panic!("{state:?} is mapped")
            }
        }
        true
    }

    fn access(&mut self, gfn: Gfn, write: bool) -> Option<Mfn> {
        let found = self.processor.access(&self.mem, &self.tree, gfn, write);
        if found.is_none() && self.fault(gfn) {
            return self.processor.access(&self.mem, &self.tree, gfn, write);
        }
        found
    }

    pub fn read(&mut self, gfn: Gfn) {
        if let Some(mfn) = self.access(gfn, false) {
            assert_eq!(self.content[&mfn], self.belief.get(&gfn).copied().unwrap_or(0), "{gfn:?}");
        }
    }

    pub fn write(&mut self, gfn: Gfn, value: u64) {
        if let Some(mfn) = self.access(gfn, true) {
            self.content.insert(mfn, value);
            self.belief.insert(gfn, value);
        }
    }

    pub fn evict(&mut self, gfn: Gfn, late: Option<u64>) {
        let PageState::Resident { mfn, .. } = self.state(gfn) else {
            return;
        };
        if self.frames.is_pinned(mfn) {
            return;
        }
        let removed = self.tree.unmap(&self.mem, gfn, Size::Small).unwrap();
        self.pay(gfn, late, removed.debt);
        self.apply(gfn, Event::Evict { dirty: removed.leaf.dirty });
    }

    /// dom0 answers a page-out. Clean: it knows the content by a name, and is not given a copy.
    pub fn page_out(&mut self, gfn: Gfn, stored: bool) {
        let PageState::PagingOut { mfn, dirty } = self.state(gfn) else {
            return;
        };
        if !stored {
            self.apply(gfn, Event::PageOutFailed);
            self.map(gfn, mfn);
            return;
        }
        let block = if dirty {
            self.put_in_store(self.content[&mfn])
        } else {
            let block = self.names[&gfn];
            assert_eq!(self.store[&block.0], self.content[&mfn], "clean, but not what dom0 has");
            block
        };
        self.apply(gfn, Event::PageOutDone { block });
        self.drop_frame(mfn, FlushDebt::nothing());
    }

    pub fn page_in(&mut self, gfn: Gfn, keep: bool) {
        let block = match self.state(gfn) {
            PageState::Swapped { block } => block,
            PageState::PagingIn { .. } => self.records.remove(&gfn).unwrap(),
            _ => return,
        };
        let mfn = self.claim();
        self.content.insert(mfn, self.store[&block.0]);
        self.apply(gfn, Event::PageInDone { mfn, keep });
        self.names.insert(gfn, block);
        self.map(gfn, mfn);
    }

    pub fn clear_dirty(&mut self, gfn: Gfn, late: Option<u64>) {
        if let Some((was, debt)) = self.tree.test_and_clear_dirty(&self.mem, gfn) {
            let written = late.is_some() && self.processor.stale(gfn).is_some();
            self.pay(gfn, late, debt);
            if was {
                self.apply(gfn, Event::Written);
            }
            assert!(was || !written, "written without a dirty bit");
        }
    }

    pub fn clear_accessed(&mut self, gfn: Gfn) {
        match self.tree.test_and_clear_accessed(&self.mem, gfn) {
            Some(true) => drop(self.apply(gfn, Event::Touch)),
            Some(false) => drop(self.apply(gfn, Event::Age)),
            None => {}
        }
    }

    pub fn let_go(&mut self, gfn: Gfn, event: Event, late: Option<u64>) {
        let before = self.state(gfn);
        if before.frame().is_some_and(|mfn| self.frames.is_pinned(mfn)) {
            return;
        }
        if self.p2m.apply(&self.mem, gfn, event).is_err() {
            assert!(matches!(before.kind(), StateKind::Dma | StateKind::Ballooned));
            return;
        }
        self.records.remove(&gfn);
        let mut debt = FlushDebt::nothing();
        if let Ok(removed) = self.tree.unmap(&self.mem, gfn, Size::Small) {
            debt = removed.debt;
        }
        if late.is_some()
            && let Some(mfn) = self.processor.stale(gfn)
        {
            self.content.insert(mfn, 0xdead);
        }
        if let Some(mfn) = before.frame() {
            self.drop_frame(mfn, debt);
        }
        self.belief.remove(&gfn);
    }

    pub fn deflate(&mut self, gfn: Gfn) {
        let ballooned = self.state(gfn) == PageState::Ballooned;
        assert_eq!(self.p2m.apply(&self.mem, gfn, Event::Deflate).is_ok(), ballooned);
    }

    pub fn pin(&mut self, gfn: Gfn) {
        if let PageState::Resident { mfn, .. } = self.state(gfn)
            && !self.pins.contains_key(&gfn)
        {
            self.frames.get_ref(mfn, self.owner).unwrap();
            self.pins.insert(gfn, mfn);
        }
    }

    pub fn unpin(&mut self, gfn: Gfn) {
        if let Some(mfn) = self.pins.remove(&gfn) {
            assert_eq!(self.frames.put_ref(mfn).unwrap(), Put::Remaining(1));
        }
    }

    /// The guest asks to read a disk block into a page that is swapped: a fresh frame.
    pub fn read_request(&mut self, gfn: Gfn) {
        if matches!(self.state(gfn), PageState::Swapped { .. }) {
            let mfn = self.claim();
            self.apply(gfn, Event::RequestRead { mfn });
        }
    }

    pub fn complete(&mut self, gfn: Gfn, value: u64, name: bool) {
        let PageState::Dma { mfn } = self.state(gfn) else {
            return;
        };
        self.content.insert(mfn, value);
        self.belief.insert(gfn, value);
        if name {
            let block = self.put_in_store(value);
            self.names.insert(gfn, block);
        }
        self.apply(gfn, Event::RequestComplete { associated: name });
        self.map(gfn, mfn);
    }

    fn put_in_store(&mut self, value: u64) -> BlockRef {
        let block = BlockRef::new(BlockRef::SWAP, 0, self.store.len() as u64).unwrap();
        self.store.insert(block.0, value);
        block
    }

    /// Frames are where the states say, and nowhere else.
    pub fn check(&self) {
        let mut held = 0;
        for gfn in (0..PAGES).map(Gfn) {
            let state = self.state(gfn);
            if let Some(mfn) = state.frame() {
                let record = self.frames.record(mfn).unwrap();
                assert_eq!((record.kind, record.owner), (FrameKind::Domain, self.owner));
                assert_eq!(record.references, 1 + u16::from(self.pins.contains_key(&gfn)));
                held += 1;
            }
            let mapped = self.tree.lookup(&self.mem, gfn).map(|leaf| leaf.mfn);
            let resident = matches!(state, PageState::Resident { .. });
            assert_eq!(mapped, state.frame().filter(|_| resident));
        }
        assert_eq!(self.p2m.counts().frames(), held);
        assert_eq!(self.free.len() as u64, FRAMES - held);
    }

    /// Every page is read once more, then the domain is torn down.
    pub fn end(mut self) {
        for gfn in (0..PAGES).map(Gfn) {
            self.unpin(gfn);
            self.complete(gfn, 1, false);
            self.page_in(gfn, false);
            self.read(gfn);
            self.let_go(gfn, Event::Discard, None);
            self.check();
        }
        let all = Gfn(0)..P2m::limit();
        let mut cursor = TableCursor::new(all.clone());
        let swept = self.tree.free_tables_bounded(&self.mem, &mut cursor, u32::MAX);
        assert_eq!(swept.progress, paging::Progress::Done);
        swept.debt.pay(&self.mem, || {});
        self.tree.dissolve(&self.mem).unwrap().pay(&self.mem, || {});
        assert_eq!(self.p2m.free_tables_bounded(&self.mem, &mut Cursor::new(all), u32::MAX), Progress::Done);
        assert!(self.p2m.dissolve(&self.mem).is_ok());
        assert_eq!(self.mem.in_use(), 0);
        assert_eq!(self.free.len() as u64, FRAMES);
    }
}
