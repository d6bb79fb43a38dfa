//! The daemon is killed at any command; every byte of memory and disk stays right.

use super::world::World;
use crate::fake::Piece;
use abi::domain::state;
use proptest::prelude::*;
use protocol::Request;

const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;
const PAGES: u64 = 24;
const BLOCKS: u64 = 16;
const FIRST: u64 = 500;

/// What the guest or the hypervisor does next.
#[derive(Debug, Clone)]
enum Step {
    Store {
        page: u64,
        value: u8,
    },
    Load {
        page: u64,
    },
    Out {
        first: u64,
        count: u64,
    },
    Discard {
        page: u64,
    },
    Write {
        page: u64,
        count: u64,
        block: u64,
    },
    Read {
        page: u64,
        count: u64,
        block: u64,
    },
    /// Half a block.
    WriteSectors {
        block: u64,
        value: u8,
    },
    Zero {
        block: u64,
        unmap: bool,
    },
    Flush,
    Kill,
    KillAfter {
        commands: u32,
    },
    Switches {
        r1: bool,
        r2: bool,
        r3: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let page = 0..PAGES;
    let block = 0..BLOCKS;
    prop_oneof![
        4 => (page.clone(), 1u8..255).prop_map(|(page, value)| Step::Store { page, value }),
        3 => page.clone().prop_map(|page| Step::Load { page }),
        6 => (page.clone(), 1u64..8).prop_map(|(first, count)| Step::Out { first, count }),
        1 => page.clone().prop_map(|page| Step::Discard { page }),
        5 => (page.clone(), 1u64..5, block.clone()).prop_map(|(page, count, block)| Step::Write { page, count, block }),
        5 => (page.clone(), 1u64..5, block.clone()).prop_map(|(page, count, block)| Step::Read { page, count, block }),
        1 => (block.clone(), 1u8..255).prop_map(|(block, value)| Step::WriteSectors { block, value }),
        1 => (block, any::<bool>()).prop_map(|(block, unmap)| Step::Zero { block, unmap }),
        1 => Just(Step::Flush),
        1 => Just(Step::Kill),
        2 => (0u32..40).prop_map(|commands| Step::KillAfter { commands }),
        1 => any::<(bool, bool, bool)>().prop_map(|(r1, r2, r3)| Step::Switches { r1, r2, r3 }),
    ]
}

/// What memory and disk hold, by plain arrays: first and second half of each block.
struct Oracle {
    memory: [u8; PAGES as usize],
    disk: [(u8, u8); BLOCKS as usize],
}

fn pieces(page: u64, count: u64) -> Vec<Piece> {
    (page..page + count).map(|page| Piece::Page(FIRST + page)).collect()
}

impl Oracle {
    fn run(&mut self, world: &mut World, id: u32, step: Step) {
        match step {
            Step::Store { page, value } => {
                world.store_page(id, FIRST + page, value);
                self.memory[page as usize] = value;
            }
            Step::Load { page } => assert_eq!(world.load_page(id, FIRST + page), self.memory[page as usize]),
            Step::Out { first, count } => {
                for page in first..(first + count).min(PAGES) {
                    world.model.borrow_mut().page_out(id, FIRST + page);
                }
                world.step();
            }
            Step::Discard { page } => {
                let before = matches!(
                    world.model.borrow_mut().domain(id).pages.get(&(FIRST + page)),
                    Some(crate::fake::PageState::Swapped(_))
                );
                world.model.borrow_mut().discard(id, FIRST + page);
                if before {
                    self.memory[page as usize] = 0;
                }
            }
            Step::Write { page, count, block } => {
                let count = count.min(PAGES - page).min(BLOCKS - block);
                // Blocks half of which differ cannot come from one page value: only whole ones do.
                assert_eq!(world.block(id, OUT, block * 8, &pieces(page, count), &[]).0, 0);
                for i in 0..count {
                    let value = self.memory[(page + i) as usize];
                    self.disk[(block + i) as usize] = (value, value);
                }
            }
            Step::Read { page, count, block } => {
                let count = count.min(PAGES - page).min(BLOCKS - block);
                let whole = (block..block + count).all(|b| self.disk[b as usize].0 == self.disk[b as usize].1);
                if !whole {
                    let room = Piece::Bytes(vec![0xcc; count as usize * 4096]);
                    let (status, bytes) = world.block(id, IN, block * 8, &[], &[room]);
                    assert_eq!(status, 0);
                    for (i, half) in bytes.chunks(2048).enumerate() {
                        let (first, second) = self.disk[block as usize + i / 2];
                        assert!(half.iter().all(|byte| *byte == if i % 2 == 0 { first } else { second }));
                    }
                    return;
                }
                assert_eq!(world.block(id, IN, block * 8, &[], &pieces(page, count)).0, 0);
                for i in 0..count {
                    self.memory[(page + i) as usize] = self.disk[(block + i) as usize].0;
                }
            }
            Step::WriteSectors { block, value } => {
                let bytes = Piece::Bytes(vec![value; 2048]);
                assert_eq!(world.block(id, OUT, block * 8 + 4, &[bytes], &[]).0, 0);
                self.disk[block as usize].1 = value;
            }
            Step::Zero { block, unmap } => {
                let range = [&(block * 8).to_le_bytes()[..], &8u32.to_le_bytes(), &u32::from(unmap).to_le_bytes()];
                assert_eq!(world.block(id, 13, 0, &[Piece::Bytes(range.concat())], &[]).0, 0);
                self.disk[block as usize] = (0, 0);
            }
            Step::Flush => assert_eq!(world.block(id, FLUSH, 0, &[], &[]).0, 0),
            Step::Kill => {
                world.kill();
                world.start();
            }
            Step::KillAfter { commands } => world.model.borrow_mut().fuse = Some(commands),
            Step::Switches { r1, r2, r3 } => {
                let request = Request::SetReconcile { name: "guest".into(), r1: Some(r1), r2: Some(r2), r3: Some(r3) };
                // A daemon that is just being killed does not answer.
                let _ = world.ask(request);
            }
        }
    }

    fn check(&self, world: &mut World, id: u32) {
        for (block, (first, second)) in (0..BLOCKS).zip(self.disk) {
            let (status, bytes) = world.block(id, IN, block * 8, &[], &[Piece::Bytes(vec![0xcc; 4096])]);
            assert_eq!(status, 0);
            assert!(bytes[..2048].iter().all(|byte| *byte == first), "block {block}: {} not {first}", bytes[0]);
            assert!(bytes[2048..].iter().all(|byte| *byte == second), "block {block}: {} not {second}", bytes[2048]);
        }
        for (page, value) in (0..PAGES).zip(self.memory) {
            assert_eq!(world.load_page(id, FIRST + page), value, "page {page}");
        }
    }
}

fn play(steps: Vec<Step>, slots: usize, seed: u64) {
    let mut world = World::with(slots, seed);
    let (id, path) = world.create_with_disk("guest", BLOCKS as usize);
    let mut oracle = Oracle { memory: [0; PAGES as usize], disk: [(0, 0); BLOCKS as usize] };
    for step in steps {
        oracle.run(&mut world, id, step);
    }
    world.model.borrow_mut().fuse = None;
    oracle.check(&mut world, id);
    assert_eq!(world.model.borrow_mut().domain(id).state, state::RUNNING);
    world.answer(Request::Kill { name: "guest".into() }).unwrap();
    world.settle();
    let drives = world.drives.borrow();
    for (block, (first, second)) in drives.disks[&path].chunks(4096).zip(oracle.disk) {
        assert!(block[..2048].iter().all(|byte| *byte == first) && block[2048..].iter().all(|byte| *byte == second));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 400, ..ProptestConfig::default() })]
    #[test]
    fn no_byte_is_lost(steps in prop::collection::vec(step(), 1..80), small in any::<bool>(), seed in any::<u64>()) {
        play(steps, if small { 24 } else { 128 }, seed);
    }
}

#[test]
fn killed_at_every_command_of_a_creation() {
    for commands in 0..40 {
        let mut world = World::new();
        world.model.borrow_mut().fuse = Some(commands);
        let source = world.toml("guest", "");
        let _ = world.ask(Request::Create { source, paused: false });
        for _ in 0..200 {
            world.step();
            std::thread::yield_now();
        }
        world.model.borrow_mut().fuse = None;
        world.settle();
        world.until("a whole domain or none", |world| {
            let model = world.model.borrow();
            let whole = model.domains.values().all(|domain| domain.state == state::RUNNING && domain.booted);
            whole.then_some(())
        });
    }
}

#[test]
fn killed_while_a_domain_is_torn_down() {
    for commands in 0..12 {
        let mut world = World::new();
        let (_, _) = world.create_with_disk("guest", 8);
        world.model.borrow_mut().fuse = Some(commands);
        let _ = world.ask(Request::Kill { name: "guest".into() });
        world.settle();
        for _ in 0..20 {
            world.step();
        }
        world.model.borrow_mut().fuse = None;
        let gone = world.model.borrow().domains.is_empty();
        // Killed before the kill was written down, the domain lives.
        if !gone {
            world.answer(Request::Kill { name: "guest".into() }).unwrap();
        }
        world.settle();
        assert!(world.model.borrow().domains.is_empty());
        assert!(world.drives.borrow().units.is_empty(), "after {commands} commands the disk is still open");
    }
}
