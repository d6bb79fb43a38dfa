//! Requests of any shape: bytes that begin and end anywhere, pages in every state, in any order.

use super::world::World;
use crate::fake::{PageState, Piece};
use proptest::prelude::*;

const IN: u32 = 0;
const OUT: u32 = 1;
const BLOCKS: usize = 64;

/// A piece of a request.
#[derive(Debug, Clone)]
enum Shape {
    Bytes {
        len: usize,
        value: u8,
    },
    /// A page in memory, in the store, or never touched.
    Resident(u8),
    Swapped(u8),
    Untouched,
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        3 => (prop_oneof![Just(512usize), 1usize..1500], 1u8..200).prop_map(|(len, value)| Shape::Bytes { len, value }),
        2 => (1u8..200).prop_map(Shape::Resident),
        3 => (1u8..200).prop_map(Shape::Swapped),
        1 => Just(Shape::Untouched),
    ]
}

/// Makes the pages, pads to whole sectors; the pieces and what they hold.
fn prepare(world: &mut World, id: u32, shapes: &[Shape], first: u64) -> (Vec<Piece>, Vec<u8>, bool) {
    let (mut pieces, mut content) = (Vec::new(), Vec::new());
    let mut whole = true;
    for (gfn, shape) in (first..).zip(shapes) {
        match shape {
            Shape::Bytes { len, value } => {
                pieces.push(Piece::Bytes(vec![*value; *len]));
                content.extend(vec![*value; *len]);
                continue;
            }
            Shape::Resident(value) | Shape::Swapped(value) => {
                world.store_page(id, gfn, *value);
                content.extend([*value; 4096]);
            }
            Shape::Untouched => content.extend([0; 4096]),
        }
        if let Shape::Swapped(_) = shape {
            whole &= content.len().is_multiple_of(512);
            assert!(world.model.borrow_mut().page_out(id, gfn));
        }
        pieces.push(Piece::Page(gfn));
    }
    let padding = content.len().next_multiple_of(512) - content.len();
    if padding > 0 {
        pieces.push(Piece::Bytes(vec![7; padding]));
        content.extend(vec![7; padding]);
    }
    world.settle();
    (pieces, content, whole)
}

fn swapped(world: &World, id: u32) -> usize {
    let mut model = world.model.borrow_mut();
    model.domain(id).pages.values().filter(|page| matches!(page, PageState::Swapped(_))).count()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn writes(shapes in prop::collection::vec(shape(), 1..10), sector in 0u64..200, seed in any::<u64>()) {
        let mut world = World::with(256, seed);
        let (id, _) = world.create_with_disk("guest", BLOCKS);
        let (pieces, content, whole) = prepare(&mut world, id, &shapes, 500);
        let before = swapped(&world, id);
        let (status, _) = world.block(id, OUT, sector, &pieces, &[]);
        // Half a sector of a reference cannot be had; everything else can.
        prop_assert_eq!(status, u8::from(!whole));
        prop_assert_eq!(swapped(&world, id), before, "a page was read in");
        if whole {
            let (status, bytes) = world.block(id, IN, sector, &[], &[Piece::Bytes(vec![0xcc; content.len()])]);
            prop_assert_eq!(status, 0);
            prop_assert!(bytes == content, "the disk holds something else");
        }
        world.kill();
        world.start();
        if whole {
            let (_, bytes) = world.block(id, IN, sector, &[], &[Piece::Bytes(vec![0xcc; content.len()])]);
            prop_assert!(bytes == content, "the next daemon reads something else");
        }
    }

    #[test]
    fn reads(shapes in prop::collection::vec(shape(), 1..10), sector in 0u64..200, seed in any::<u64>()) {
        let mut world = World::with(256, seed);
        let (id, path) = world.create_with_disk("guest", BLOCKS);
        let random: Vec<u8> = (0..BLOCKS * 4096).map(|i| (i / 512) as u8 ^ (i % 251) as u8).collect();
        world.drives.borrow_mut().disks.insert(path, random.clone());
        let (pieces, content, _) = prepare(&mut world, id, &shapes, 500);
        let reads = world.drives.borrow().store_reads;
        let (status, bytes) = world.block(id, IN, sector, &[], &pieces);
        prop_assert_eq!(status, 0);
        prop_assert_eq!(world.drives.borrow().store_reads, reads, "old content was read");
        let expected = &random[sector as usize * 512..][..content.len()];
        let (mut at, mut byte) = (0, 0);
        for piece in &pieces {
            match piece {
                Piece::Bytes(room) => {
                    prop_assert!(bytes[byte..byte + room.len()] == expected[at..at + room.len()]);
                    byte += room.len();
                    at += room.len();
                }
                Piece::Page(gfn) => {
                    let page = world.model.borrow_mut().load_page(id, *gfn).unwrap();
                    prop_assert!(page[..] == expected[at..at + 4096]);
                    at += 4096;
                }
            }
        }
        world.settle();
        let totals = world.daemon().disks().store_info().unwrap();
        prop_assert_eq!((totals.used_bytes, totals.page_references), (0, 0), "old content is still held");
    }
}
