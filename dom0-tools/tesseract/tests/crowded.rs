//! Writes that must preserve what they overwrite, while the store has no room.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use abi::BlockRef;
use common::*;
use tesseract::*;

const OTHER: PageId = PageId { domain: 2, page: 5 };

/// A store of two slots, both another domain's; `P` was dropped to block 1 of disk 3.
fn full() -> Map {
    let mut map = Map::new(Config { reserve: 0, ..Config::new(2) });
    map.attach(3, 1 << 20).unwrap();
    drop_to_disk(&mut map, P, 1);
    for page in 5..7 {
        swap_out(&mut map, PageId { page, ..OTHER });
    }
    map
}

fn drop_to_disk(map: &mut Map, page: PageId, lba: u64) {
    let read = ReadSegment { len: 4096, at: 0, page: Some(page.page), drops: None };
    let request = RequestId { domain: page.domain, request: 1 };
    let action = one(map.guest_read(request, 3, lba * 4096, &[read]));
    map.complete(action.id, Outcome::Done);
    let drop = one(map.page_out(page, true));
    assert_eq!(drop.op, Op::PageOutDone { page, block: home(lba) });
    map.complete(drop.id, Outcome::Done);
    map.settle();
}

fn home(lba: u64) -> BlockRef {
    BlockRef::new(BlockRef::DISK, 3, lba).unwrap()
}

fn overwrite(map: &mut Map, blocks: u32) -> Vec<Action> {
    let data = WriteSegment { len: blocks * 4096, payload: Payload::Data { at: 16, page: None } };
    map.guest_write(R, 3, 4096, &[data])
}

/// The action must be an offer that no guest has asked for.
fn offered(action: &Action) -> PageId {
    let Op::Load { page, demanded: false, .. } = action.op else { panic!("{action:?}") };
    page
}

fn goes_home(action: &Action) -> bool {
    matches!(action.op, Op::Write { to: Extent { medium: Medium::Disk(3), offset: 4096, .. }, .. })
}

#[test]
fn the_write_waits_until_others_make_room() {
    let mut map = full();
    let mut offer = one(overwrite(&mut map, 1));
    for pause in [10, 20, 40, 80, 160, 320, 640, 1280, 1280] {
        assert_eq!(offered(&offer), P);
        assert_eq!(map.complete(offer.id, Outcome::Declined), []);
        assert_eq!(map.settle(), [], "not answered, and not at once again");
        let due = map.due().unwrap();
        map.set_time(due - 1);
        assert_eq!(map.settle(), []);
        map.audit().unwrap();
        map.set_time(due);
        offer = one(map.settle());
        assert!(map.due().unwrap() - due >= pause, "ever more seldom");
    }
    map.complete(offer.id, Outcome::Declined);
    map.release(OTHER);
    map.settle();
    map.set_time(map.due().unwrap());
    let copy = one(map.settle());
    assert!(matches!(copy.op, Op::Write { to: Extent { medium: Medium::Store, .. }, .. }));
    let moved = one(map.complete(copy.id, Outcome::Done));
    assert!(matches!(moved.op, Op::MoveReference { page: P, .. }));
    assert_eq!(map.complete(moved.id, Outcome::Done), []);
    assert_eq!(map.due(), None);
    assert!(goes_home(&one(map.settle())));
    map.audit().unwrap();
}

#[test]
fn a_page_that_comes_back_needs_no_room() {
    for touched in [false, true] {
        let mut map = full();
        let offer = one(overwrite(&mut map, 1));
        if touched {
            assert_eq!(map.page_in(P, home(1)), [], "it is on its way");
        }
        assert_eq!(map.complete(offer.id, Outcome::Done), [], "late events may still name the block");
        assert!(goes_home(&one(map.settle())));
        assert_eq!(map.page(P), (None, None), "its bytes are the block's no more");
        map.set_time(10);
        assert_eq!((map.settle(), map.due()), (vec![], None));
        map.audit().unwrap();
    }
}

#[test]
fn a_write_that_copies_the_block_needs_no_room_once_it_is_over() {
    let mut map = full();
    let request = RequestId { request: 1, ..R };
    let copy = one(map.guest_write(request, 3, 8192, &write_of(P, home(1))));
    assert!(matches!(copy.op, Op::Write { to, .. } if to == Extent::block(3, 2)));
    map.release(P);
    map.settle();
    assert_eq!(overwrite(&mut map, 1), []);
    let next = map.complete(copy.id, Outcome::Done);
    assert_eq!(next.len(), 2, "{next:?}");
    assert_eq!(next[0].op, Op::Complete { request, status: Status::Ok, associate: false });
    assert!(goes_home(&next[1]));
    map.audit().unwrap();
}

#[test]
fn the_end_of_the_domain_ends_the_wait() {
    let mut map = full();
    let offer = one(overwrite(&mut map, 1));
    map.domain_gone(P.domain);
    map.complete(offer.id, Outcome::Declined);
    map.settle();
    assert_eq!(map.due(), None);
    map.detach(3, false).unwrap();
    map.audit().unwrap();
}

#[test]
fn a_slot_that_one_block_needs_no_more_is_taken_for_the_next() {
    let mut map = full();
    let second = PageId { page: 6, ..P };
    drop_to_disk(&mut map, second, 2);
    // Room for one of two blocks.
    map.release(OTHER);
    map.settle();
    let actions = overwrite(&mut map, 2);
    let (copy, offers) = actions.split_first().unwrap();
    // Both come in meanwhile, as far as frames are there: for the first.
    for offer in offers {
        let outcome = if offered(offer) == P { Outcome::Done } else { Outcome::Declined };
        map.complete(offer.id, outcome);
    }
    let offer = one(map.complete(copy.id, Outcome::Done));
    assert_eq!(offered(&offer), second);
    map.complete(offer.id, Outcome::Declined);
    map.settle();
    map.set_time(map.due().unwrap());
    let copy = one(map.settle());
    assert!(matches!(copy.op, Op::Write { to: Extent { medium: Medium::Store, .. }, .. }), "{copy:?}");
    map.audit().unwrap();
}

#[test]
fn a_file_system_without_space_is_a_full_store_and_no_slot_is_bad() {
    let mut map = map();
    drop_to_disk(&mut map, P, 1);
    // A page leaves.
    let write = one(map.page_out(OTHER, false));
    let failed = one(map.complete(write.id, Outcome::NoRoom));
    assert_eq!(failed.op, Op::PageOutFailed { page: OTHER, reason: abi::event::fail::FULL });
    map.complete(failed.id, Outcome::Done);
    assert_eq!(map.settle(), []);
    map.set_time(map.due().unwrap());
    assert_eq!(one(map.settle()).op, Op::Retry { domain: 2 });
    // A block is to be preserved.
    let copy = one(overwrite(&mut map, 1));
    let offer = one(map.complete(copy.id, Outcome::NoRoom));
    assert_eq!(offered(&offer), P);
    map.complete(offer.id, Outcome::Declined);
    assert_eq!(map.settle(), [], "not at once again");
    assert_eq!((map.totals().broken, map.totals().free), (0, 256));
    map.set_time(map.due().unwrap());
    let copy = one(map.settle());
    assert_eq!(
        one(map.complete(copy.id, Outcome::Done)).op,
        Op::MoveReference { page: P, old: home(1), new: slot_of(&copy) }
    );
    map.audit().unwrap();
}

fn slot_of(write: &Action) -> BlockRef {
    let Op::Write { to, .. } = write.op else { panic!("{write:?}") };
    BlockRef::new(BlockRef::SWAP, 0, to.offset / 4096).unwrap()
}
