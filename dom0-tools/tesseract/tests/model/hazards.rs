//! The hazards of removing double paging, one test each, scripted on the same world.

use crate::hypervisor::{DOMAIN, Part, State};
use crate::oracle::SECTORS;
use crate::world::{DISKS, LBAS, World};
use abi::BlockRef;
use tesseract::{Config, Switches};

const D: u16 = DISKS[0];

fn world() -> World {
    // One block a transfer, so that nothing is right only because it happens at once.
    let config = Config { reserve: 0, read_around: 1, max_run: 4096, ..Config::new(16) };
    World::new(config, Switches::default(), false)
}

fn whole(page: u64) -> Part {
    Part { page, first: 0, sectors: SECTORS }
}

fn write(world: &mut World, lba: u64, page: u64) {
    world.transfer(true, D, lba * 8, vec![whole(page)]);
    world.drain();
}

fn read(world: &mut World, lba: u64, page: u64) {
    world.transfer(false, D, lba * 8, vec![whole(page)]);
    world.drain();
}

fn evict(world: &mut World, page: u64) {
    world.hypervisor.evict(page);
    world.drain();
}

/// Kind of the content that a page is swapped to.
fn kind(world: &World, page: u64) -> u8 {
    match world.hypervisor.pages[page as usize].state {
        State::Swapped { block, .. } => block.kind(),
        ref other => panic!("page {page} is {other:?}"),
    }
}

/// Puts new words on a block of the disk, through a page that is forgotten then.
fn fill(world: &mut World, lba: u64) {
    (0..SECTORS).for_each(|at| world.store(8, at));
    write(world, lba, 8);
    world.hypervisor.release(8);
}

/// A page with new words, swapped to a slot.
fn swapped(world: &mut World, page: u64) {
    (0..SECTORS).for_each(|at| world.store(page, at));
    evict(world, page);
    assert_eq!(kind(world, page), BlockRef::SWAP);
}

#[test]
fn a1_overwriting_a_block_that_a_dropped_page_depends_on() {
    let mut w = world();
    fill(&mut w, 2);
    read(&mut w, 2, 0);
    evict(&mut w, 0);
    assert_eq!(kind(&w, 0), BlockRef::DISK);
    fill(&mut w, 2);
    assert_eq!(kind(&w, 0), BlockRef::SWAP, "the old content moved");
    w.check(true);
}

#[test]
fn a2_pages_dirtied_after_association_are_not_dropped() {
    // By a vCPU.
    let mut w = world();
    fill(&mut w, 2);
    read(&mut w, 2, 0);
    w.store(0, 3);
    evict(&mut w, 0);
    assert_eq!(kind(&w, 0), BlockRef::SWAP);
    // By a device, in part.
    read(&mut w, 2, 1);
    w.transfer(false, D, 8, vec![Part { page: 1, first: 2, sectors: 1 }]);
    w.drain();
    evict(&mut w, 1);
    assert_eq!(kind(&w, 1), BlockRef::SWAP);
    // By a device, whole, from a place that no name can be given for.
    read(&mut w, 2, 2);
    w.transfer(false, D, 17, vec![whole(2)]);
    w.drain();
    evict(&mut w, 2);
    assert_eq!(kind(&w, 2), BlockRef::SWAP);
    w.check(true);
}

#[test]
fn a3_a_page_dirtied_while_its_own_write_is_under_way_is_not_dropped() {
    for steps in 0..8 {
        let mut w = world();
        (0..SECTORS).for_each(|at| w.store(0, at));
        w.transfer(true, D, 16, vec![whole(0)]);
        w.event();
        for _ in 0..steps {
            w.work(0);
        }
        let over = w.command(true);
        w.store(0, 1);
        w.drain();
        evict(&mut w, 0);
        assert_eq!(kind(&w, 0), BlockRef::SWAP, "step {steps}, request over: {over}");
        w.check(true);
    }
}

#[test]
fn a4_resident_swapped_and_partial_pages_in_one_request_at_every_offset() {
    for sector in 0..16 {
        let mut w = world();
        fill(&mut w, 0);
        fill(&mut w, 3);
        swapped(&mut w, 0);
        (1..3).for_each(|page| w.store(page, 5));
        let parts = vec![whole(1), whole(0), Part { page: 2, first: 4, sectors: 3 }, whole(3)];
        w.transfer(true, D, sector, parts);
        w.drain();
        w.check(true);
    }
}

#[test]
fn a5_the_power_fails_after_every_single_step() {
    for stop in 0..120 {
        let mut w = world();
        fill(&mut w, 0);
        swapped(&mut w, 0);
        write(&mut w, 0, 0);
        w.flush(D);
        w.drain();
        // Flushed: block 0 in a slot. Now home again, another reference, a flush, and more.
        (0..SECTORS).for_each(|at| w.store(1, at));
        w.transfer(true, D, 0, vec![whole(1)]);
        w.hypervisor.evict(0);
        w.transfer(true, D, 8, vec![whole(0)]);
        w.flush(D);
        w.transfer(true, D, 2, vec![Part { page: 1, first: 0, sectors: 2 }]);
        w.transfer(true, D, 16, vec![whole(0)]);
        for _ in 0..stop {
            if !(w.event() || w.command(true) || w.append() || w.work(stop)) {
                w.settle();
            }
        }
        w.power_loss();
        w.check(true);
    }
}

#[test]
fn a6_a_slot_that_a_disk_refers_to_outlives_its_page() {
    let mut w = world();
    w.switches.r2 = false;
    w.map.set_switches(DOMAIN, w.switches);
    swapped(&mut w, 0);
    write(&mut w, 1, 0);
    w.hypervisor.touch(0);
    w.drain();
    assert_eq!(w.map.totals().ref_lbas, 1);
    // Slots enough for everything else would take this one too, if it were free.
    (1..8).for_each(|page| swapped(&mut w, page));
    read(&mut w, 1, 0);
    w.check(true);
}

#[test]
fn a7_trimmed_references_are_released_and_nothing_leaks() {
    for unmap in [false, true] {
        let mut w = world();
        swapped(&mut w, 0);
        (0..LBAS).for_each(|lba| write(&mut w, lba, 0));
        assert_eq!(w.map.totals().ref_lbas, LBAS);
        w.zero(D, 3, LBAS * 8 - 5, unmap);
        w.drain();
        w.flush(D);
        w.drain();
        assert_eq!(w.map.totals().ref_lbas, 0);
        w.hypervisor.release(0);
        w.drain();
        assert_eq!(w.map.totals().free, 16);
        w.check(true);
    }
}

#[test]
fn a8_references_outlive_their_domain_and_a_restart() {
    let mut w = world();
    swapped(&mut w, 0);
    swapped(&mut w, 1);
    write(&mut w, 1, 0);
    for page in &mut w.hypervisor.pages {
        page.state = State::Zero;
    }
    drop(w.map.domain_gone(DOMAIN));
    w.drain();
    assert_eq!(w.map.totals().free, 15, "only the block's slot is left");
    read(&mut w, 1, 2);
    w.kill();
    w.drain();
    read(&mut w, 1, 3);
    w.check(true);
}

#[test]
fn a9_a_slot_that_cannot_be_read_is_an_io_error_to_the_guest_and_no_more() {
    let mut w = world();
    swapped(&mut w, 0);
    write(&mut w, 1, 0);
    w.faults = 100;
    w.transfer(false, D, 8, vec![whole(2)]);
    w.drain();
    assert_eq!(w.map.stats(DOMAIN).io_errors, 1);
    evict(&mut w, 2);
    w.check(true);
}

#[test]
fn a10_a_disk_with_references_is_not_let_go_and_resolving_makes_it_whole() {
    let mut w = world();
    swapped(&mut w, 0);
    write(&mut w, 1, 0);
    assert_eq!(w.map.detach(D, false), Err(tesseract::Error::HasReferences(D)));
    // Also while its domain writes on.
    let actions = w.map.resolve_all(D).unwrap();
    w.take(actions);
    w.transfer(true, D, 16, vec![whole(0)]);
    w.drain();
    assert_eq!(std::mem::take(&mut w.resolved), [true]);
    assert_eq!(w.map.totals().ref_lbas, 0);
    w.check(true);
}

#[test]
fn a_request_that_swaps_the_blocks_its_own_pages_depend_on() {
    for seed in 1..20 {
        let mut w = world();
        w.random = seed * 0x1234_5678_9abc;
        for lba in 2..4 {
            fill(&mut w, lba);
            read(&mut w, lba, lba);
            evict(&mut w, lba);
            assert_eq!(kind(&w, lba), BlockRef::DISK);
        }
        let (two, three) = (w.host.block(D, 2), w.host.block(D, 3));
        w.transfer(true, D, 16, vec![whole(3), whole(2)]);
        w.drain();
        w.check(true);
        assert_eq!((w.host.block(D, 2), w.host.block(D, 3)), (three, two));
    }
}

#[test]
fn a_block_that_is_being_copied_elsewhere_does_not_change_meanwhile() {
    let mut w = world();
    fill(&mut w, 2);
    read(&mut w, 2, 0);
    evict(&mut w, 0);
    let content = w.host.block(D, 2);
    // The copy of block 2 to block 4 is handed out, but not begun.
    w.transfer(true, D, 32, vec![whole(0)]);
    assert!(w.event());
    (0..SECTORS).for_each(|at| w.store(1, at));
    w.transfer(true, D, 16, vec![whole(1)]);
    w.settle();
    for _ in 0..50 {
        // Everything but the copy.
        w.work_after(1);
        w.command(true);
        w.settle();
    }
    w.drain();
    assert_eq!(w.host.block(D, 4), content);
    w.check(true);
}

#[test]
fn a_block_does_not_change_while_any_write_of_a_request_is_to_copy_it() {
    let mut w = world();
    for (lba, page) in [(4, 0), (5, 2)] {
        fill(&mut w, lba);
        read(&mut w, lba, page);
        evict(&mut w, page);
    }
    let content = w.host.block(D, 5);
    // Two copies are handed out: of block 4 to block 0, and of block 5 to block 1. The first begins.
    w.transfer(true, D, 0, vec![whole(0), whole(2)]);
    assert!(w.event() && w.work(0));
    (0..SECTORS).for_each(|at| w.store(1, at));
    w.transfer(true, D, 40, vec![whole(1)]);
    for _ in 0..50 {
        // Everything but the second copy.
        w.settle();
        w.work_after(1);
        w.command(true);
    }
    w.drain();
    assert_eq!(w.host.block(D, 1), content);
    w.check(true);
}

#[test]
fn two_reads_into_one_page_name_it_after_neither() {
    for seed in 1..20 {
        let mut w = world();
        w.random = seed * 0x1234_5678_9abc;
        fill(&mut w, 2);
        fill(&mut w, 3);
        w.transfer(false, D, 16, vec![whole(0)]);
        w.transfer(false, D, 24, vec![whole(0)]);
        w.drain();
        evict(&mut w, 0);
        assert_eq!(kind(&w, 0), BlockRef::SWAP);
        w.check(true);
    }
}

#[test]
fn a_page_that_is_asked_for_while_it_is_to_be_moved() {
    for moves_in in [false, true] {
        let mut w = world();
        w.hypervisor.moves_in = moves_in;
        fill(&mut w, 2);
        read(&mut w, 2, 0);
        evict(&mut w, 0);
        (0..SECTORS).for_each(|at| w.store(1, at));
        w.transfer(true, D, 16, vec![whole(1)]);
        assert!(w.event());
        while w.work(0) {}
        // `MOVE_REFERENCE` is to be carried out next; the guest is faster.
        w.hypervisor.touch(0);
        assert!(w.command(true));
        w.drain();
        assert!(matches!(w.hypervisor.pages[0].state, State::Resident { .. }));
        w.check(true);
    }
}

#[test]
fn parts_of_a_referenced_block_are_overwritten_at_every_offset() {
    for first in 0..SECTORS {
        for sectors in 1..=SECTORS - first {
            let mut w = world();
            fill(&mut w, 1);
            swapped(&mut w, 0);
            write(&mut w, 1, 0);
            (0..SECTORS).for_each(|at| w.store(1, at));
            w.transfer(true, D, 8 + first as u64, vec![Part { page: 1, first: 0, sectors }]);
            w.drain();
            assert!(w.map.totals().ref_lbas == 0, "never flushed: no durable state refers");
            w.check(true);
        }
    }
}

#[test]
fn r2_drops_cost_no_bytes() {
    let mut w = world();
    (0..4).for_each(|lba| fill(&mut w, lba));
    let before = w.map.stats(DOMAIN).swap_out_bytes;
    for lba in 0..4 {
        read(&mut w, lba, lba);
        evict(&mut w, lba);
    }
    let stats = w.map.stats(DOMAIN);
    assert_eq!((stats.r2_drops, stats.swap_out_bytes), (4, before));
    w.check(true);
}

#[test]
fn a_late_event_may_still_name_the_block_that_a_writer_wants() {
    let mut w = world();
    fill(&mut w, 2);
    read(&mut w, 2, 0);
    evict(&mut w, 0);
    assert_eq!(kind(&w, 0), BlockRef::DISK);
    let before = w.host.block(D, 2);
    (0..SECTORS).for_each(|at| w.store(1, at));
    w.transfer(true, D, 16, vec![whole(1)]);
    // The map sees the writer only, and moves the page; the guest writes that page, told with the
    // reference of before, and touches it.
    assert!(w.event());
    while w.work(0) {}
    w.transfer(true, D, 24, vec![whole(0)]);
    while w.command(true) || w.work(0) {}
    assert_eq!(w.host.block(D, 2), before, "the late event names this content");
    w.hypervisor.touch(0);
    w.drain();
    assert_ne!(w.host.block(D, 2), before);
    w.check(true);
}
