//! The hypervisor's side of the contract, with guests that touch, evict, read and write at will.

use super::oracle::Content;
use abi::BlockRef;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tesseract::{Payload, ReadSegment, WriteSegment};

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

impl Hypervisor {
    pub fn new(pages: usize, moves_in: bool) -> Self {
        let page = Page {
            state: State::Zero,
            zombie: false,
        };
        Self {
            pages: vec![page; pages],
            moves_in,
            ..Self::default()
        }
    }

    pub fn in_request(&self, page: u64) -> bool {
        self.live
            .values()
            .any(|r| r.parts().iter().any(|p| p.page == page))
    }

    fn dirty(&mut self, page: u64, by: Option<u64>) {
        if let State::Resident { clean, .. } = &mut self.pages[page as usize].state {
            *clean = false;
        }
        for (id, r) in &mut self.live {
            if Some(*id) != by && r.parts().iter().any(|p| p.page == page) {
                r.spoiled.insert(page);
            }
        }
    }

    /// Takes a page that is leaving back.
    fn cancel(&mut self, page: u64) {
        let p = &mut self.pages[page as usize];
        if let State::Out { content, clean } = p.state.clone() {
            p.state = State::Resident { content, clean };
            p.zombie = true;
        }
    }

    /// A vCPU stores a word. Returns true if it could at once.
    pub fn store(&mut self, page: u64, at: usize, value: u32) -> bool {
        self.cancel(page);
        let p = &mut self.pages[page as usize];
        match &mut p.state {
            State::Zero => {
                let mut content = [0; 8];
                content[at] = value;
                p.state = State::Resident {
                    content,
                    clean: false,
                };
            }
            State::Resident { content, .. } => content[at] = value,
            State::Swapped { .. } => {
                self.touch(page);
                return self.store(page, at, value);
            }
            State::In { stores, .. } => {
                stores.push((at, value));
                return false;
            }
            State::Out { .. } => unreachable!(),
        }
        self.stored.push((page, at, value));
        self.dirty(page, None);
        true
    }

    /// A vCPU loads from a page.
    pub fn touch(&mut self, page: u64) {
        self.cancel(page);
        let p = &mut self.pages[page as usize];
        match p.state.clone() {
            State::Zero => {
                p.state = State::Resident {
                    content: [0; 8],
                    clean: false,
                }
            }
            State::Swapped { block, truth } => {
                p.state = State::In {
                    block,
                    truth,
                    stores: Vec::new(),
                };
                self.events.push_back(Event::PageIn { page, block });
            }
            _ => {}
        }
    }

    pub fn evict(&mut self, page: u64) {
        let busy = self.in_request(page);
        let p = &mut self.pages[page as usize];
        if let (State::Resident { content, clean }, false, false) =
            (p.state.clone(), busy, p.zombie)
        {
            if content == [0; 8] {
                p.state = State::Zero;
            } else {
                p.state = State::Out { content, clean };
                self.events.push_back(Event::PageOut { page, clean });
            }
        }
    }

    /// The balloon takes a page.
    pub fn release(&mut self, page: u64) {
        if self.in_request(page) {
            return;
        }
        let p = &mut self.pages[page as usize];
        match p.state {
            State::Swapped { .. } => {
                p.state = State::Zero;
                self.events.push_back(Event::Release { page });
            }
            State::Resident { .. } => p.state = State::Zero,
            _ => {}
        }
    }

    /// The words that a write of these parts stores, as of now; `None` if a part must be read in first.
    pub fn words(&self, parts: &[Part]) -> Option<Vec<u32>> {
        let mut out = Vec::new();
        for part in parts {
            let content = match &self.pages[part.page as usize].state {
                State::Zero => [0; 8],
                State::Resident { content, .. } | State::Out { content, .. } => *content,
                State::Swapped { truth, .. } | State::In { truth, .. } if part.whole() => *truth,
                _ => return None,
            };
            out.extend(&content[part.first..part.first + part.sectors]);
        }
        Some(out)
    }

    /// A guest submits a request; false if the hypervisor would first read pages in.
    pub fn submit(&mut self, disk: u16, sector: u64, kind: Kind) -> Option<u64> {
        let reads = matches!(kind, Kind::Read(_));
        if let Kind::Read(parts) | Kind::Write(parts) = &kind {
            let parts = parts.clone();
            for part in &parts {
                let mixed = self.live.values().any(|r| {
                    matches!(r.kind, Kind::Read(_)) != reads
                        && r.parts().iter().any(|p| p.page == part.page)
                });
                if mixed {
                    // The guest's own race; no value would be wrong.
                    return None;
                }
                let state = &self.pages[part.page as usize].state;
                let coming = matches!(state, State::In { .. }) && (reads || !part.whole());
                if coming || matches!(state, State::Swapped { .. }) && !part.whole() {
                    self.touch(part.page);
                    return None;
                }
            }
            for part in &parts {
                self.cancel(part.page);
            }
        }
        self.seq += 1;
        let id = self.seq;
        let mut drops = BTreeMap::new();
        if let (true, Kind::Read(parts)) = (reads, &kind) {
            for part in parts {
                let p = &mut self.pages[part.page as usize];
                match p.state {
                    State::Swapped { block, .. } => {
                        drops.insert(part.page, block);
                        p.state = State::Resident {
                            content: [u32::MAX; 8],
                            clean: false,
                        };
                    }
                    State::Zero => {
                        p.state = State::Resident {
                            content: [0; 8],
                            clean: false,
                        }
                    }
                    _ => {}
                }
            }
        }
        let request = Request {
            seq: id,
            disk,
            sector,
            kind,
            spoiled: BTreeSet::new(),
            drops,
            copied: BTreeMap::new(),
            again: false,
        };
        // Several live requests on a page: each is somebody else to the other.
        self.live.insert(id, request);
        self.post(id);
        Some(id)
    }

    fn post(&mut self, id: u64) {
        let event = Event::Request(id, self.write_segments(id), self.read_segments(id));
        self.events.push_back(event);
    }

    fn write_segments(&self, id: u64) -> Vec<WriteSegment> {
        let request = &self.live[&id];
        let mut at = 16;
        let mut out = Vec::new();
        for part in request.parts() {
            let len = part.sectors as u32 * 512;
            let payload = match (&self.pages[part.page as usize].state, part.whole()) {
                (State::Swapped { block, .. } | State::In { block, .. }, true) => {
                    Payload::Reference {
                        page: part.page,
                        block: *block,
                    }
                }
                (State::Zero, true) => Payload::Zero,
                (_, whole) => Payload::Data {
                    at,
                    page: whole.then_some(part.page),
                },
            };
            // Readers of headers may be cut anywhere: a first segment of odd length, now and then.
            match payload {
                Payload::Data { at, page: None } if len > 512 => {
                    out.push(WriteSegment {
                        len: 300,
                        payload: Payload::Data { at, page: None },
                    });
                    out.push(WriteSegment {
                        len: len - 300,
                        payload: Payload::Data {
                            at: at + 300,
                            page: None,
                        },
                    });
                }
                _ => out.push(WriteSegment { len, payload }),
            }
            at += len;
        }
        out
    }

    fn read_segments(&self, id: u64) -> Vec<ReadSegment> {
        let request = &self.live[&id];
        let mut at = 0;
        let mut out = Vec::new();
        for part in request.parts() {
            let len = part.sectors as u32 * 512;
            let page = part.whole().then_some(part.page);
            out.push(ReadSegment {
                len,
                at,
                page,
                drops: request.drops.get(&part.page).copied(),
            });
            at += len;
        }
        out
    }

    /// `COPY_OUT` of one sector's word, counted from the start of the data.
    pub fn copy_out(&self, id: u64, index: usize) -> u32 {
        let mut left = index;
        for part in self.live[&id].parts() {
            if left < part.sectors {
                return match &self.pages[part.page as usize].state {
                    State::Resident { content, .. } => content[part.first + left],
                    // Bytes of references and zeroes read as zero.
                    _ => 0,
                };
            }
            left -= part.sectors;
        }
        panic!("outside of the request");
    }

    /// `COPY_IN` of one word.
    pub fn copy_in(&mut self, id: u64, index: usize, value: u32) {
        let Some(request) = self.live.get_mut(&id) else {
            return;
        };
        request.copied.insert(index as u64, value);
        let mut left = index;
        for part in request.parts().to_vec() {
            if left < part.sectors {
                if let State::Resident { content, .. } = &mut self.pages[part.page as usize].state {
                    content[part.first + left] = value;
                }
                self.dirty(part.page, Some(id));
                return;
            }
            left -= part.sectors;
        }
        panic!("outside of the request");
    }

    /// `COMPLETE`; the request is live no more.
    pub fn complete(&mut self, id: u64, associate: bool) -> Option<Request> {
        let request = self.live.remove(&id)?;
        if associate {
            for part in request
                .parts()
                .iter()
                .filter(|p| p.whole() && !request.spoiled.contains(&p.page))
            {
                if let State::Resident { clean, .. } = &mut self.pages[part.page as usize].state {
                    *clean = true;
                }
            }
        }
        Some(request)
    }

    /// `COPY_PAGE`.
    pub fn copy_page(&mut self, page: u64) -> Option<Content> {
        let p = &mut self.pages[page as usize];
        match &p.state {
            State::Out { content, .. } => Some(*content),
            _ => {
                p.zombie = false;
                None
            }
        }
    }

    /// `PAGE_OUT_DONE`.
    pub fn page_out_done(&mut self, page: u64, block: BlockRef) -> bool {
        let p = &mut self.pages[page as usize];
        if let State::Out { content, .. } = p.state {
            p.state = State::Swapped {
                block,
                truth: content,
            };
            true
        } else {
            p.zombie = false;
            false
        }
    }

    pub fn page_out_failed(&mut self, page: u64) {
        let p = &mut self.pages[page as usize];
        if let State::Out { content, clean } = p.state {
            p.state = State::Resident { content, clean };
        }
        p.zombie = false;
    }

    /// `PAGE_IN_DONE`: true if taken. `decline`: the hypervisor does not want what it did not ask for.
    pub fn page_in_done(
        &mut self,
        page: u64,
        block: BlockRef,
        content: Content,
        keep: bool,
        decline: bool,
    ) -> bool {
        let p = &mut self.pages[page as usize];
        match p.state.clone() {
            State::In {
                block: b,
                truth,
                stores,
            } if b == block => {
                assert_eq!(
                    content, truth,
                    "page {page} came back from {block:?} with other bytes"
                );
                p.state = State::Resident {
                    content,
                    clean: keep,
                };
                for (at, value) in stores {
                    self.store(page, at, value);
                }
                true
            }
            State::Swapped { block: b, truth } if b == block && !decline => {
                assert_eq!(
                    content, truth,
                    "page {page} was offered from {block:?} with other bytes"
                );
                p.state = State::Resident {
                    content,
                    clean: keep,
                };
                true
            }
            _ => false,
        }
    }

    /// `MOVE_REFERENCE`.
    pub fn move_reference(&mut self, page: u64, old: BlockRef, new: BlockRef) -> bool {
        let moves_in = self.moves_in;
        match &mut self.pages[page as usize].state {
            State::Swapped { block, .. } if *block == old => {
                *block = new;
                true
            }
            State::In { block, .. } if *block == old && moves_in => {
                *block = new;
                true
            }
            _ => false,
        }
    }

    /// A new daemon attaches: live objects are posted again, oldest first.
    pub fn attach(&mut self) -> Vec<(u64, BlockRef)> {
        self.events.clear();
        let mut listed = Vec::new();
        for page in 0..self.pages.len() as u64 {
            let p = &mut self.pages[page as usize];
            p.zombie = false;
            match &p.state {
                State::Out { clean, .. } => self.events.push_back(Event::PageOut {
                    page,
                    clean: *clean,
                }),
                State::In { block, .. } => self.events.push_back(Event::PageIn {
                    page,
                    block: *block,
                }),
                State::Swapped { block, .. } => listed.push((page, *block)),
                _ => {}
            }
        }
        self.live.values_mut().for_each(|r| r.again = true);
        for id in self.live.keys().copied().collect::<Vec<_>>() {
            self.post(id);
        }
        listed
    }
}
