//! Block requests without swapping.

use super::world::{World, header};
use crate::fake::Piece;
use protocol::{Payload, Request};

const IN: u32 = 0;
const OUT: u32 = 1;
const FLUSH: u32 = 4;
const GET_ID: u32 = 8;
const DISCARD: u32 = 11;
const WRITE_ZEROES: u32 = 13;

#[test]
fn what_is_written_is_read_in_any_shape() {
    let mut world = World::new();
    let (id, path) = world.create_with_disk("guest", 64);
    // Whole pages, odd pieces, a sector in the middle.
    world.store_page(id, 500, 1);
    world.store_page(id, 501, 2);
    let (status, _) = world.block(id, OUT, 8, &[Piece::Page(500), Piece::Page(501)], &[]);
    assert_eq!(status, 0);
    let odd = [Piece::Bytes(vec![3; 100]), Piece::Bytes(vec![4; 1436])];
    assert_eq!(world.block(id, OUT, 11, &odd, &[]).0, 0);
    let (status, bytes) = world.block(id, IN, 8, &[], &[Piece::Bytes(vec![0; 8192])]);
    assert_eq!(status, 0);
    let mut expected = [vec![1; 4096], vec![2; 4096]].concat();
    expected[3 * 512..3 * 512 + 100].fill(3);
    expected[3 * 512 + 100..6 * 512].fill(4);
    assert_eq!(bytes, expected);
    assert_eq!(world.drives.borrow().disks[&path][4096..3 * 4096], expected);
    assert_eq!(world.block(id, IN, 8 + 8, &[], &[Piece::Page(600)]).0, 0);
    assert_eq!(world.load_page(id, 600), 2);
    assert_eq!(world.block(id, FLUSH, 0, &[], &[]).0, 0);
}

#[test]
fn odd_requests() {
    let mut world = World::new();
    let (id, _) = world.create_with_disk("guest", 64);
    let (status, serial) = world.block(id, GET_ID, 0, &[], &[Piece::Bytes(vec![0; 20])]);
    assert_eq!((status, &serial[..]), (0, &b"first\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..]));
    assert_eq!(world.block(id, IN, 64 * 8, &[], &[Piece::Bytes(vec![0; 512])]).0, 1);
    assert_eq!(world.block(id, 77, 0, &[], &[]).0, 2);
    // No room for a status, no header: completed, and the daemon lives on.
    for (readable, writable) in [(vec![Piece::Bytes(header(IN, 0))], vec![]), (vec![], vec![Piece::Bytes(vec![0])])] {
        let name = world.model.borrow_mut().request(id, 0, 0, &readable, &writable).unwrap();
        world.until("an answer", |world| world.model.borrow_mut().answer(id, name));
    }
    assert!(world.model.borrow().refusals.is_empty());
}

#[test]
fn discard_and_zeroes() {
    let mut world = World::new();
    let (id, path) = world.create_with_disk("guest", 64);
    world.store_page(id, 500, 7);
    for block in 0..4 {
        assert_eq!(world.block(id, OUT, block * 8, &[Piece::Page(500)], &[]).0, 0);
    }
    let range = |sector: u64, count: u32| [&sector.to_le_bytes()[..], &count.to_le_bytes(), &[0; 4]].concat();
    assert_eq!(world.block(id, WRITE_ZEROES, 0, &[Piece::Bytes(range(8, 9))], &[]).0, 0);
    assert_eq!(world.block(id, DISCARD, 0, &[Piece::Bytes(range(24, 8))], &[]).0, 0);
    let drives = world.drives.borrow();
    let disk = &drives.disks[&path];
    assert!(disk[..4096].iter().all(|byte| *byte == 7));
    assert!(disk[4096..8192 + 512].iter().all(|byte| *byte == 0));
    assert!(disk[8192 + 512..3 * 4096].iter().all(|byte| *byte == 7));
}

#[test]
fn one_writer_an_image() {
    let mut world = World::new();
    let (_, path) = world.create_with_disk("first", 16);
    let more = format!("[[disks]]\npath = \"{}\"\n", path.display());
    let source = world.toml("second", &more);
    let failure = world.answer(Request::Create { source, paused: false }).unwrap_err();
    assert!(failure.message.contains("another domain"), "{failure}");
    world.answer(Request::Kill { name: "first".into() }).unwrap();
    world.settle();
    world.create("second", &more);
    let Ok(Payload::Domain(shown)) = world.answer(Request::Show { name: "second".into() }) else { panic!() };
    assert_eq!(shown.devices[0].size_bytes, Some(16 * 4096));
}

#[test]
fn counters_count() {
    let mut world = World::new();
    let (id, _) = world.create_with_disk("guest", 64);
    world.store_page(id, 500, 7);
    world.block(id, OUT, 0, &[Piece::Page(500)], &[]);
    world.block(id, IN, 0, &[], &[Piece::Page(501)]);
    world.block(id, FLUSH, 0, &[], &[]);
    let name = || "guest".to_owned();
    let before = Request::Stats { name: None };
    let after = Request::Stats { name: Some(name()) };
    for (request, kill) in [(before, true), (after, false)] {
        let Ok(Payload::Stats { stats }) = world.answer(request) else { panic!() };
        let c = stats[0].devices[0].counters;
        assert_eq!((c.reads, c.writes, c.read_bytes, c.write_bytes, c.flushes), (1, 1, 4096, 4096, 1));
        if kill {
            world.answer(Request::Kill { name: name() }).unwrap();
        }
    }
}
