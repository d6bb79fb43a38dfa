//! What dom0 counts of a domain's references, for clients.

use super::swap::{fill, out};
use super::world::World;
use crate::fake::Piece;
use protocol::{Payload, Request};

const OUT: u32 = 1;

#[test]
fn references_are_counted_for_their_own_domain_and_the_way_home_is_measured() {
    let mut world = World::new();
    let (id, path) = world.create_with_disk("first", 64);
    world.create_with_disk("second", 64);
    fill(&mut world, id, 500..508);
    out(&mut world, id, 500..508);
    let pieces: Vec<Piece> = (500..508).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    let counters = |world: &mut World, name: &str| {
        let Ok(Payload::Stats { stats }) = world.answer(Request::Stats { name: Some(name.into()) }) else { panic!() };
        stats[0].counters
    };
    assert_eq!(counters(&mut world, "first").ref_lbas, Some(8));
    assert_eq!(counters(&mut world, "second").ref_lbas, Some(0));
    assert_eq!(counters(&mut world, "first").resolve_all_ms, None);
    let Ok(Payload::Store(store)) = world.answer(Request::Store) else { panic!() };
    let shown = store.disks.iter().find(|disk| disk.path == path).unwrap();
    assert_eq!((shown.references, &shown.domains[..], shown.resolving), (8, &[id][..], false));
    assert_eq!(store.size_bytes, store.used_bytes + store.free_bytes);
    assert!(store.journal_bytes > 0 && store.journal == protocol::Journal::Well);

    world.answer(Request::Kill { name: "first".into() }).unwrap();
    world.settle();
    let after = counters(&mut world, "first");
    assert!(after.resolve_all_ms.is_some() && after.ref_lbas == Some(0), "{after:?}");
    world.kill();
    world.start();
    assert_eq!(counters(&mut world, "first"), after, "written down, too");
}

#[test]
fn references_made_copied_and_preserved_are_counted_since_the_daemon_began() {
    let mut world = World::new();
    let (id, _) = world.create_with_disk("guest", 64);
    let counters = |world: &mut World| {
        let Ok(Payload::Stats { stats }) = world.answer(Request::Stats { name: None }) else { panic!() };
        stats[0].counters
    };
    let told = |world: &mut World| {
        let c = counters(world);
        (c.r1_hits, c.r1_copies, c.preserved)
    };
    assert_eq!(told(&mut world), (Some(0), Some(0), Some(0)));
    let c = counters(&mut world);
    assert_eq!((c.false_reads_avoided, c.defrag_moved), (None, None), "nobody counts them yet");

    fill(&mut world, id, 500..508);
    out(&mut world, id, 500..508);
    let pieces: Vec<Piece> = (500..506).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    // An offer that cannot become a reference: nothing can be written down.
    world.drives.borrow_mut().journal_broken = true;
    assert_ne!(world.block(id, OUT, 80, &[Piece::Page(506)], &[]).0, 0, "it finds out");
    assert_eq!(world.block(id, OUT, 88, &[Piece::Page(507)], &[]).0, 0);
    assert_eq!(told(&mut world), (Some(6), Some(1), Some(0)));
    world.drives.borrow_mut().journal_broken = false;

    // Pages that depend on a block of the disk, which then is overwritten.
    world.store_page(id, 520, 20);
    assert_eq!(world.block(id, OUT, 160, &[Piece::Page(520)], &[]).0, 0);
    out(&mut world, id, 520..521);
    world.store_page(id, 700, 99);
    assert_eq!(world.block(id, OUT, 160, &[Piece::Page(700)], &[]).0, 0);
    assert_eq!(told(&mut world).2, Some(1));
    world.kill();
    world.start();
    assert_eq!(told(&mut world), (Some(0), Some(0), Some(0)));
}
