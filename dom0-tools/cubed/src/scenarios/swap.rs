//! Pages leaving and coming back, and the reconciliations.

use super::world::World;
use crate::fake::{PageState, Piece};
use abi::command::op;
use protocol::{Payload, Request};

const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;

/// Makes pages leave, and waits until they have.
pub fn out(world: &mut World, id: u32, pages: std::ops::Range<u64>) {
    for gfn in pages.clone() {
        assert!(world.model.borrow_mut().page_out(id, gfn), "page {gfn} does not leave");
    }
    world.settle();
    for gfn in pages {
        let swapped = matches!(world.model.borrow_mut().domain(id).pages.get(&gfn), Some(PageState::Swapped(_)));
        assert!(swapped, "page {gfn} is still here");
    }
}

pub fn fill(world: &mut World, id: u32, pages: std::ops::Range<u64>) {
    for gfn in pages {
        world.store_page(id, gfn, u8::try_from(gfn % 251).unwrap() + 1);
    }
}

fn check(world: &mut World, id: u32, pages: std::ops::Range<u64>) {
    for gfn in pages {
        assert_eq!(world.load_page(id, gfn), u8::try_from(gfn % 251).unwrap() + 1, "page {gfn}");
    }
}

#[test]
fn pages_leave_in_long_writes_and_come_back_with_neighbours() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..564);
    out(&mut world, id, 500..564);
    assert!(world.drives.borrow().store_writes <= 4, "{} writes", world.drives.borrow().store_writes);
    check(&mut world, id, 500..564);
    let (reads, offers) = (world.drives.borrow().store_reads, world.model.borrow().counts[&op::PAGE_IN_DONE]);
    assert!(reads <= 16, "{reads} reads");
    assert!(offers >= 64);
}

#[test]
fn r1_writes_references_and_r2_drops_clean_pages() {
    let mut world = World::new();
    let (id, _) = world.create_with_disk("guest", 64);
    fill(&mut world, id, 500..508);
    out(&mut world, id, 500..508);
    let reads = world.drives.borrow().store_reads;
    let pieces: Vec<Piece> = (500..508).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    assert_eq!(world.drives.borrow().store_reads, reads, "R1: nothing is read");
    assert!(!world.drives.borrow().journal.is_empty());
    // Read back into other pages: associated, and then dropped without a write.
    let into: Vec<Piece> = (600..608).map(Piece::Page).collect();
    assert_eq!(world.block(id, IN, 0, &[], &into).0, 0);
    let writes = world.drives.borrow().store_writes;
    out(&mut world, id, 600..608);
    assert_eq!(world.drives.borrow().store_writes, writes, "R2: nothing is written");
    for gfn in 600..608 {
        assert_eq!(world.load_page(id, gfn), u8::try_from((gfn - 100) % 251).unwrap() + 1);
    }
    check(&mut world, id, 500..508);
}

#[test]
fn r3_and_r4_keep_every_byte() {
    let mut world = World::new();
    let (id, _) = world.create_with_disk("guest", 64);
    fill(&mut world, id, 500..504);
    let pieces: Vec<Piece> = (500..504).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    // Clean now: they leave without a write and depend on the disk.
    let writes = world.drives.borrow().store_writes;
    out(&mut world, id, 500..504);
    assert_eq!(world.drives.borrow().store_writes, writes);
    // The guest overwrites those blocks: R4 preserves what the pages need.
    world.store_page(id, 700, 99);
    assert_eq!(world.block(id, OUT, 8, &[Piece::Page(700)], &[]).0, 0);
    check(&mut world, id, 500..504);
    // R3: a read into swapped pages needs no old content.
    fill(&mut world, id, 520..522);
    out(&mut world, id, 520..522);
    let reads = world.drives.borrow().store_reads;
    assert_eq!(world.block(id, IN, 8, &[], &[Piece::Page(520)]).0, 0);
    assert_eq!(world.load_page(id, 520), 99);
    assert_eq!(world.drives.borrow().store_reads, reads);
    check(&mut world, id, 521..522);
}

#[test]
fn a_touched_page_stays_and_its_slot_is_free_again() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..510);
    for gfn in 500..510 {
        assert!(world.model.borrow_mut().page_out(id, gfn));
    }
    for gfn in 500..510 {
        world.store_page(id, gfn, 77);
    }
    world.settle();
    for gfn in 500..510 {
        assert_eq!(world.load_page(id, gfn), 77);
    }
    let Ok(Payload::Store(store)) = world.answer(Request::Store) else { panic!() };
    assert_eq!((store.used_bytes, store.page_references), (0, 0));
}

#[test]
fn a_full_store_refuses_and_goes_on_when_there_is_room() {
    let mut world = World::with(32, 1);
    let id = world.create("guest", "");
    fill(&mut world, id, 500..560);
    for gfn in 500..560 {
        world.model.borrow_mut().page_out(id, gfn);
    }
    world.settle();
    assert!(world.model.borrow().failed > 0);
    assert!(!world.model.borrow_mut().domain(id).reclaim);
    check(&mut world, id, 500..560);
    world.settle();
    assert!(world.model.borrow_mut().domain(id).reclaim, "RETRY when there is room");
}

#[test]
fn a_broken_store_costs_no_data() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..510);
    world.drives.borrow_mut().store_broken = true;
    for gfn in 500..510 {
        world.model.borrow_mut().page_out(id, gfn);
    }
    world.settle();
    check(&mut world, id, 500..510);
}

/// Pages that are out, with their slots.
fn slots(world: &mut World, id: u32) -> Vec<(u64, u64)> {
    let mut model = world.model.borrow_mut();
    let slot = |(gfn, state): (&u64, &PageState)| match state {
        PageState::Swapped(block) => Some((*gfn, block.block())),
        _ => None,
    };
    model.domain(id).pages.iter().filter_map(slot).collect()
}

#[test]
fn an_error_hits_only_the_page_whose_slot_it_is() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..564);
    world.drives.borrow_mut().bad_slots = vec![3, 17];
    for gfn in 500..564 {
        world.model.borrow_mut().page_out(id, gfn);
    }
    world.settle();
    assert_eq!(slots(&mut world, id).len(), 62, "the others left in the same long writes");
    check(&mut world, id, 500..564);
}

#[test]
fn a_page_comes_back_although_a_neighbour_cannot_be_read() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..532);
    out(&mut world, id, 500..532);
    let out = slots(&mut world, id);
    world.drives.borrow_mut().bad_slots = vec![out[8].1];
    check(&mut world, id, out[9].0..out[9].0 + 1);
    check(&mut world, id, out[7].0..out[7].0 + 1);
}

#[test]
fn a_broken_journal_costs_references_not_writes() {
    let mut world = World::new();
    let (id, path) = world.create_with_disk("guest", 64);
    fill(&mut world, id, 500..506);
    out(&mut world, id, 500..506);
    world.drives.borrow_mut().journal_broken = true;
    assert_eq!(world.block(id, OUT, 0, &[Piece::Page(500)], &[]).0, 1, "the first one finds out");
    for (lba, gfn) in (1..5).zip(501..) {
        assert_eq!(world.block(id, OUT, lba * 8, &[Piece::Page(gfn)], &[]).0, 0, "block {lba}");
    }
    let value = |gfn: u64| u8::try_from(gfn % 251).unwrap() + 1;
    for (block, gfn) in world.drives.borrow().disks[&path].chunks(4096).skip(1).zip(501..505) {
        assert!(block.iter().all(|byte| *byte == value(gfn)), "page {gfn}");
    }
    assert_eq!(world.block(id, FLUSH, 0, &[], &[]).0, 1);
    let Ok(Payload::Store(store)) = world.answer(Request::Store) else { panic!() };
    assert_eq!(store.journal, protocol::Journal::Failing);

    world.drives.borrow_mut().journal_broken = false;
    world.ahead += std::time::Duration::from_secs(2);
    assert!(world.daemon().deadline().is_some_and(|deadline| deadline < world.now()));
    world.settle();
    assert_eq!(world.daemon().deadline(), None);
    let records = world.drives.borrow().journal.len();
    assert_eq!(world.block(id, OUT, 5 * 8, &[Piece::Page(505)], &[]).0, 0);
    assert!(world.drives.borrow().journal.len() > records, "a reference again");
    assert_eq!(world.block(id, FLUSH, 0, &[], &[]).0, 0);
    check(&mut world, id, 500..506);
}

#[test]
fn a_disk_whose_domain_ended_while_the_journal_failed_goes_home_later() {
    let mut world = World::new();
    let (id, path) = world.create_with_disk("guest", 64);
    fill(&mut world, id, 500..504);
    out(&mut world, id, 500..504);
    let pieces: Vec<Piece> = (500..504).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    world.drives.borrow_mut().journal_broken = true;
    world.answer(Request::Kill { name: "guest".into() }).unwrap();
    world.settle();
    assert!(!world.drives.borrow().units.is_empty(), "its blocks are in the store only");
    world.drives.borrow_mut().journal_broken = false;
    world.ahead += std::time::Duration::from_secs(2);
    world.settle();
    let drives = world.drives.borrow();
    assert!(drives.units.is_empty() && drives.numbers.is_empty());
    for (block, gfn) in drives.disks[&path].chunks(4096).zip(500..504u64) {
        assert!(block.iter().all(|byte| u64::from(*byte) == gfn % 251 + 1), "page {gfn}");
    }
}

#[test]
fn without_a_frame_for_a_page_the_store_is_not_read_over_and_over() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..501);
    out(&mut world, id, 500..501);
    world.model.borrow_mut().no_frames = true;
    assert!(!world.model.borrow_mut().touch(id, 500));
    let end = std::time::Instant::now() + std::time::Duration::from_millis(100);
    while std::time::Instant::now() < end {
        world.step();
    }
    let reads = world.drives.borrow().store_reads;
    assert!((1..=5).contains(&reads), "{reads} reads in 100 ms");
    // A read may be under way just now.
    world.until("the next try", |world| world.daemon().deadline());
    world.model.borrow_mut().no_frames = false;
    check(&mut world, id, 500..501);
    assert_eq!(world.daemon().deadline(), None);
}

#[test]
fn ending_frees_the_store_and_resolves_the_disk() {
    let mut world = World::new();
    let (id, path) = world.create_with_disk("guest", 64);
    fill(&mut world, id, 500..508);
    out(&mut world, id, 500..508);
    let pieces: Vec<Piece> = (500..508).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    world.answer(Request::Kill { name: "guest".into() }).unwrap();
    world.settle();
    let Ok(Payload::Store(store)) = world.answer(Request::Store) else { panic!() };
    assert_eq!((store.used_bytes, store.page_references, store.disk_references), (0, 0, 0));
    let drives = world.drives.borrow();
    for (i, block) in drives.disks[&path].chunks(4096).take(8).enumerate() {
        let value = u8::try_from((500 + i) % 251).unwrap() + 1;
        assert!(block.iter().all(|byte| *byte == value), "block {i} is not at home");
    }
    assert!(drives.units.is_empty());
}

#[test]
fn released_pages_free_their_slots() {
    let mut world = World::new();
    let id = world.create("guest", "");
    fill(&mut world, id, 500..510);
    out(&mut world, id, 500..510);
    for gfn in 500..510 {
        world.model.borrow_mut().discard(id, gfn);
    }
    world.settle();
    let Ok(Payload::Store(store)) = world.answer(Request::Store) else { panic!() };
    assert_eq!(store.used_bytes, 0);
}
