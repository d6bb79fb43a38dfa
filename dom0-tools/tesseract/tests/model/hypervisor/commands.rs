//! dom0's commands.

use super::{Event, Hypervisor, Request, State};
use crate::oracle::Content;
use abi::BlockRef;

impl Hypervisor {
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
            for part in request.parts().iter().filter(|p| p.whole() && !request.spoiled.contains(&p.page)) {
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
            p.state = State::Swapped { block, truth: content };
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
    pub fn page_in_done(&mut self, page: u64, block: BlockRef, content: Content, keep: bool, decline: bool) -> bool {
        let p = &mut self.pages[page as usize];
        match p.state.clone() {
            State::In { block: b, truth, stores } if b == block && !decline => {
                assert_eq!(content, truth, "page {page} came back from {block:?} with other bytes");
                p.state = State::Resident { content, clean: keep };
                for (at, value) in stores {
                    self.store(page, at, value);
                }
                true
            }
            State::Swapped { block: b, truth } if b == block && !decline => {
                assert_eq!(content, truth, "page {page} was offered from {block:?} with other bytes");
                p.state = State::Resident { content, clean: keep };
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
    /// Pages and requests are ages of their own: which come first is open.
    pub fn attach(&mut self, requests_first: bool) -> Vec<(u64, BlockRef)> {
        self.events.clear();
        if requests_first {
            self.post_all();
        }
        let mut listed = Vec::new();
        for page in 0..self.pages.len() as u64 {
            let p = &mut self.pages[page as usize];
            p.zombie = false;
            match &p.state {
                State::Out { clean, .. } => self.events.push_back(Event::PageOut { page, clean: *clean }),
                State::In { block, .. } => self.events.push_back(Event::PageIn { page, block: *block }),
                State::Swapped { block, .. } => listed.push((page, *block)),
                _ => {}
            }
        }
        if !requests_first {
            self.post_all();
        }
        listed
    }

    fn post_all(&mut self) {
        self.live.values_mut().for_each(|r| r.again = true);
        for id in self.live.keys().copied().collect::<Vec<_>>() {
            self.post(id);
        }
    }
}
