//! What guests do to pages, and the hypervisor's choice of victims.

use super::{Event, Hypervisor, Page, State};

impl Hypervisor {
    pub fn new(pages: usize, moves_in: bool) -> Self {
        let page = Page { state: State::Zero, zombie: false };
        Self { pages: vec![page; pages], moves_in, ..Self::default() }
    }

    pub fn in_request(&self, page: u64) -> bool {
        self.live.values().any(|r| r.parts().iter().any(|p| p.page == page))
    }

    pub(super) fn dirty(&mut self, page: u64, by: Option<u64>) {
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
    pub(super) fn cancel(&mut self, page: u64) {
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
                p.state = State::Resident { content, clean: false };
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
            State::Zero => p.state = State::Resident { content: [0; 8], clean: false },
            State::Swapped { block, truth } => {
                p.state = State::In { block, truth, stores: Vec::new() };
                self.events.push_back(Event::PageIn { page, block });
            }
            _ => {}
        }
    }

    pub fn evict(&mut self, page: u64) {
        let busy = self.in_request(page);
        let p = &mut self.pages[page as usize];
        if let (State::Resident { content, clean }, false, false) = (p.state.clone(), busy, p.zombie) {
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
}
