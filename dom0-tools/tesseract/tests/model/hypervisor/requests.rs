//! Requests: how they begin, and how they are told.

use super::{Event, Hypervisor, Kind, Part, Request, State};
use std::collections::{BTreeMap, BTreeSet};
use tesseract::{Payload, ReadSegment, WriteSegment};

impl Hypervisor {
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
                let mixed = self
                    .live
                    .values()
                    .any(|r| matches!(r.kind, Kind::Read(_)) != reads && r.parts().iter().any(|p| p.page == part.page));
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
                        p.state = State::Resident { content: [u32::MAX; 8], clean: false };
                    }
                    State::Zero => p.state = State::Resident { content: [0; 8], clean: false },
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

    pub(super) fn post(&mut self, id: u64) {
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
                    Payload::Reference { page: part.page, block: *block }
                }
                (State::Zero, true) => Payload::Zero,
                (_, whole) => Payload::Data { at, page: whole.then_some(part.page) },
            };
            // Readers of headers may be cut anywhere: a first segment of odd length, now and then.
            match payload {
                Payload::Data { at, page: None } if len > 512 => {
                    out.push(WriteSegment { len: 300, payload: Payload::Data { at, page: None } });
                    out.push(WriteSegment { len: len - 300, payload: Payload::Data { at: at + 300, page: None } });
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
            out.push(ReadSegment { len, at, page, drops: request.drops.get(&part.page).copied() });
            at += len;
        }
        out
    }
}
