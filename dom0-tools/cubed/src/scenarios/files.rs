//! The same with real files: the store's I/O, journal and numbers.

use super::world::World;
use crate::fake::{PageState, Piece};
use protocol::{Payload, Request};

const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;

fn value(gfn: u64) -> u8 {
    u8::try_from(gfn % 251).unwrap() + 1
}

#[test]
fn swap_references_kill_and_home_again() {
    let mut world = World::on_files();
    let (id, path) = world.create_with_disk("guest", 256);
    for gfn in 500..564 {
        world.store_page(id, gfn, value(gfn));
    }
    for gfn in 500..564 {
        assert!(world.model.borrow_mut().page_out(id, gfn));
    }
    world.settle();
    let swapped =
        world.model.borrow_mut().domain(id).pages.values().filter(|p| matches!(p, PageState::Swapped(_))).count();
    assert_eq!(swapped, 64);
    let pieces: Vec<Piece> = (500..532).map(Piece::Page).collect();
    assert_eq!(world.block(id, OUT, 0, &pieces, &[]).0, 0);
    assert_eq!(world.block(id, FLUSH, 0, &[], &[]).0, 0);

    world.kill();
    world.start();
    let Ok(Payload::Store(store)) = world.answer(Request::Store) else { panic!() };
    assert_eq!((store.page_references, store.disk_references), (64, 32));

    // A sector in the middle of a reference, read back with its surroundings.
    assert_eq!(world.block(id, OUT, 9, &[Piece::Bytes(vec![9; 512])], &[]).0, 0);
    let (status, bytes) = world.block(id, IN, 8, &[], &[Piece::Bytes(vec![0; 4096])]);
    assert_eq!((status, bytes[0], bytes[512], bytes[1024]), (0, value(501), 9, value(501)));
    for gfn in 500..564 {
        assert_eq!(world.load_page(id, gfn), value(gfn));
    }

    world.answer(Request::Kill { name: "guest".into() }).unwrap();
    world.settle();
    world.kill();
    let disk = std::fs::read(path).unwrap();
    for (gfn, block) in (500..532).zip(disk.chunks(4096)) {
        assert!(block[..512].iter().all(|byte| *byte == value(gfn)), "block of page {gfn}");
        assert_eq!(block[512], if gfn == 501 { 9 } else { value(gfn) });
    }
}

#[test]
fn a_read_only_disk_is_shared_and_refuses_writes() {
    let mut world = World::on_files();
    let path = world.disk("shared.img", 8);
    std::fs::write(&path, vec![5; 8 * 4096]).unwrap();
    let more = format!("[[disks]]\npath = \"{}\"\nreadonly = true\n", path.display());
    let first = world.create("first", &more);
    let second = world.create("second", &more);
    for id in [first, second] {
        assert_eq!(world.block(id, IN, 8, &[], &[Piece::Page(600)]).0, 0);
        assert_eq!(world.load_page(id, 600), 5);
        world.store_page(id, 601, 6);
        assert_eq!(world.block(id, OUT, 8, &[Piece::Page(601)], &[]).0, 1);
    }
}

#[test]
fn a_store_in_memory_is_refused_unless_asked_for() {
    use crate::disks::open::{OpenError, StoreChoice, open};
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = dir.path().join("store");
    let choice = |in_memory| StoreChoice { path: Some(path.clone()), size: 32 << 20, in_memory };
    assert!(matches!(open(&choice(false), dir.path()), Err(OpenError::InMemory(_))));
    assert!(open(&choice(true), dir.path()).is_ok());
}

#[test]
fn a_store_is_made_where_nothing_is_and_nothing_else_is_touched() {
    use crate::disks::open::{StoreChoice, open};
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let choice = StoreChoice { path: Some(path.clone()), size: 32 << 20, in_memory: true };
    let file = std::fs::File::create(&path).unwrap();
    // As btrfs has it: the first 64 KiB are nobody's.
    for (length, at) in [(16 << 20, 64 << 10), (64 << 20, (64 << 20) - 4096), (100, 0)] {
        file.set_len(0).unwrap();
        file.set_len(length).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"_BHRfS_M", at).unwrap();
        let before = std::fs::read(&path).unwrap();
        let refusal = open(&choice, dir.path()).err().unwrap().to_string();
        assert!(refusal.contains("not blank") && refusal.contains("give another path"), "{refusal}");
        assert!(std::fs::read(&path).unwrap() == before);
    }
    for (length, becomes) in [(16 << 20, 16 << 20), (0, 32 << 20)] {
        file.set_len(0).unwrap();
        file.set_len(length).unwrap();
        for _ in 0..2 {
            open(&choice, dir.path()).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().len(), becomes);
        }
    }
}

#[test]
fn an_image_that_was_cut_to_nothing_is_not_forgotten_while_blocks_of_it_are_in_the_store() {
    let mut world = World::on_files();
    let (id, path) = world.create_with_disk("guest", 16);
    world.store_page(id, 500, 7);
    assert!(world.model.borrow_mut().page_out(id, 500));
    world.settle();
    assert_eq!(world.block(id, OUT, 0, &[Piece::Page(500)], &[]).0, 0);
    world.kill();
    world.model.borrow_mut().domains.remove(&id);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(0).unwrap();
    // The first one drops the domain's record, which reserves the number.
    world.start();
    world.kill();
    world.start();
    let (other, _) = world.create_with_disk("other", 16);
    assert_eq!(world.block(other, IN, 0, &[], &[Piece::Page(500)]).0, 0);
    assert_eq!(world.load_page(other, 500), 0, "the other domain's disk is its own");

    world.kill();
    file.set_len(16 * 4096).unwrap();
    world.start();
    world.settle();
    assert!(std::fs::read(&path).unwrap()[..4096].iter().all(|byte| *byte == 7), "the block is home");
}
