//! The map's contract on single operations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use abi::BlockRef;
use tesseract::*;

const P: PageId = PageId { domain: 1, page: 5 };
const R: RequestId = RequestId { domain: 1, request: 9 };

fn map() -> Map {
    let mut map = Map::new(Config::new(256));
    map.attach(3, 1 << 20).unwrap();
    map
}

/// The single action of a call.
fn one(actions: Vec<Action>) -> Action {
    assert_eq!(actions.len(), 1, "{actions:?}");
    actions.into_iter().next().unwrap()
}

/// Pages `P` out; the slot that it went to.
fn swap_out(map: &mut Map, page: PageId) -> BlockRef {
    let write = one(map.page_out(page, false));
    let Op::Write { to, ref pieces } = write.op else { panic!("{write:?}") };
    assert_eq!((to.medium, pieces.as_slice()), (Medium::Store, &[Piece { len: 4096, source: Source::Page(page) }][..]));
    let done = one(map.complete(write.id, Outcome::Done));
    let Op::PageOutDone { block, .. } = done.op else { panic!("{done:?}") };
    assert!(map.complete(done.id, Outcome::Done).is_empty());
    block
}

fn write_of(page: PageId, block: BlockRef) -> [WriteSegment; 1] {
    [WriteSegment { len: 4096, payload: Payload::Reference { page: page.page, block } }]
}

#[test]
fn r1_a_write_of_a_swapped_page_is_a_journal_record_and_no_read() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let journal = one(map.guest_write(R, 3, 8192, &write_of(P, block)));
    assert_eq!(journal.op, Op::Journal(vec![Record::Set { disk: 3, lba: 2, slot: Some(block.block()) }]));
    let done = one(map.complete(journal.id, Outcome::Done));
    assert_eq!(done.op, Op::Complete { request: R, status: Status::Ok, associate: false });
    assert_eq!(map.stats(1).r1_hits, 1);
    map.audit().unwrap();

    // The page goes; the block stays readable.
    map.release(P);
    map.settle();
    let read = ReadSegment { len: 4096, at: 0, page: None, drops: None };
    let action = one(map.guest_read(RequestId { domain: 1, request: 10 }, 3, 8192, &[read]));
    assert!(matches!(action.op, Op::Read { from, .. } if from == Extent::slot(block.block())));
    map.audit().unwrap();
}

#[test]
fn r2_a_clean_page_is_dropped_without_a_write_and_r4_moves_it_before_the_block_changes() {
    let mut map = map();
    let read = ReadSegment { len: 4096, at: 0, page: Some(P.page), drops: None };
    let action = one(map.guest_read(R, 3, 4096, &[read]));
    let done = one(map.complete(action.id, Outcome::Done));
    assert_eq!(done.op, Op::Complete { request: R, status: Status::Ok, associate: true });
    let home = BlockRef::new(BlockRef::DISK, 3, 1).unwrap();
    let drop = one(map.page_out(P, true));
    assert_eq!(drop.op, Op::PageOutDone { page: P, block: home });
    map.complete(drop.id, Outcome::Done);
    assert_eq!(map.stats(1).r2_drops, 1);

    let data = WriteSegment { len: 512, payload: Payload::Data { at: 16, page: None } };
    let copy = one(map.guest_write(R, 3, 4096 + 512, &[data]));
    let Op::Write { to, .. } = copy.op else { panic!("{copy:?}") };
    assert_eq!(to.medium, Medium::Store);
    let moved = one(map.complete(copy.id, Outcome::Done));
    assert!(matches!(moved.op, Op::MoveReference { page: P, old, .. } if old == home));
    assert!(map.complete(moved.id, Outcome::Done).is_empty(), "late events may still name the block");
    let write = one(map.settle());
    assert!(
        matches!(write.op, Op::Write { to, .. } if to.medium == Medium::Disk(3) && to.offset == 4608 && to.len == 512)
    );
    map.audit().unwrap();
}

#[test]
fn r3_a_read_into_a_swapped_page_reads_the_disk_only_and_frees_the_slot_when_it_ends() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let read = ReadSegment { len: 4096, at: 0, page: Some(P.page), drops: Some(block) };
    let action = one(map.guest_read(R, 3, 0, &[read]));
    assert!(matches!(action.op, Op::Read { from, .. } if from == Extent::block(3, 0)));
    let free = map.totals().free;
    map.complete(action.id, Outcome::Done);
    map.settle();
    assert_eq!(map.totals().free, free + 1);
    assert_eq!(map.stats(1).r3_fresh, 1);
    map.audit().unwrap();
}

#[test]
fn a_partial_write_to_a_referenced_block_takes_the_whole_block_home() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let journal = one(map.guest_write(R, 3, 0, &write_of(P, block)));
    map.complete(journal.id, Outcome::Done);
    let data = WriteSegment { len: 512, payload: Payload::Data { at: 16, page: None } };
    let write = one(map.guest_write(R, 3, 1024, &[data]));
    let Op::Write { to, pieces } = write.op else { panic!("{write:?}") };
    assert_eq!(to, Extent::block(3, 0));
    let slot = block.block() * 4096;
    let host = |skip, len| Source::Host(Extent { medium: Medium::Store, offset: slot + skip, len });
    assert_eq!(
        pieces,
        [
            Piece { len: 1024, source: host(0, 1024) },
            Piece { len: 512, source: Source::Request { request: R, at: 16 } },
            Piece { len: 2560, source: host(1536, 2560) },
        ]
    );
    let journal = one(map.complete(write.id, Outcome::Done));
    assert_eq!(journal.op, Op::Journal(vec![Record::Set { disk: 3, lba: 0, slot: None }]));
}

#[test]
fn a_flush_with_new_references_orders_data_commit_and_journal() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let journal = one(map.guest_write(R, 3, 0, &write_of(P, block)));
    map.complete(journal.id, Outcome::Done);
    let data = map.guest_flush(R, 3);
    let ops: Vec<&Op> = data.iter().map(|a| &a.op).collect();
    let mark = match ops.as_slice() {
        [Op::Journal(mark), Op::Sync(Durable::Store), Op::Sync(Durable::Disk(3))] => match mark.as_slice() {
            [Record::Mark { disk: 3, mark }] => *mark,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert!(map.complete(data[0].id, Outcome::Done).is_empty());
    assert!(map.complete(data[1].id, Outcome::Done).is_empty());
    let commit = one(map.complete(data[2].id, Outcome::Done));
    assert_eq!(commit.op, Op::Journal(vec![Record::Commit { disk: 3, mark }]));
    let seal = one(map.complete(commit.id, Outcome::Done));
    assert_eq!(seal.op, Op::Sync(Durable::Journal));
    let done = one(map.complete(seal.id, Outcome::Done));
    assert_eq!(done.op, Op::Complete { request: R, status: Status::Ok, associate: false });
    // Nothing new: the image alone.
    assert_eq!(one(map.guest_flush(R, 3)).op, Op::Sync(Durable::Disk(3)));
}

#[test]
fn a_full_store_fails_page_outs_and_calls_again_when_there_is_room() {
    let mut map = Map::new(Config { reserve: 0, ..Config::new(2) });
    let page = |page| PageId { domain: 1, page };
    swap_out(&mut map, page(1));
    swap_out(&mut map, page(2));
    let failed = one(map.page_out(page(3), false));
    assert_eq!(failed.op, Op::PageOutFailed { page: page(3), reason: abi::event::fail::FULL });
    assert!(map.release(page(1)).is_empty());
    assert!(map.settle().is_empty(), "a little more room is wanted first, so that a full store does not oscillate");
    assert!(map.release(page(2)).is_empty());
    assert_eq!(one(map.settle()).op, Op::Retry { domain: 1 });
}

#[test]
fn out_of_range_and_unknown_disks_are_io_errors() {
    let mut map = map();
    let data = [WriteSegment { len: 4096, payload: Payload::Data { at: 16, page: None } }];
    for (disk, offset) in [(3, 1 << 20), (3, u64::MAX - 511), (4, 0), (3, 100)] {
        let done = one(map.guest_write(R, disk, offset, &data));
        assert_eq!(done.op, Op::Complete { request: R, status: Status::IoError, associate: false });
    }
}

#[test]
fn a_page_in_two_live_reads_is_associated_by_neither() {
    let mut map = map();
    let read = ReadSegment { len: 4096, at: 0, page: Some(P.page), drops: None };
    let other = RequestId { domain: 1, request: 10 };
    let first = one(map.guest_read(R, 3, 0, &[read]));
    let second = one(map.guest_read(other, 3, 4096, &[read]));
    for (action, request) in [(first, R), (second, other)] {
        let done = one(map.complete(action.id, Outcome::Done));
        assert_eq!(done.op, Op::Complete { request, status: Status::Ok, associate: false });
    }
    assert_eq!(map.page(P), (None, None));
}

#[test]
fn parts_of_pages_keep_the_whole_ones_of_a_read_without_names() {
    let mut map = map();
    let part = ReadSegment { len: 1024, at: 4096, page: None, drops: None };
    let whole = ReadSegment { len: 4096, at: 0, page: Some(P.page), drops: None };
    let action = one(map.guest_read(R, 3, 0, &[whole, part]));
    let done = one(map.complete(action.id, Outcome::Done));
    assert_eq!(done.op, Op::Complete { request: R, status: Status::Ok, associate: false });
}
