//! The map's contract on single operations.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use abi::BlockRef;
use common::*;
use tesseract::*;

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
fn a_page_that_cannot_be_written_stays_and_the_domain_tries_again_ever_more_seldom() {
    let mut map = map();
    for _ in 0..12 {
        let write = one(map.page_out(P, false));
        let failed = one(map.complete(write.id, Outcome::Failed));
        assert_eq!(failed.op, Op::PageOutFailed { page: P, reason: abi::event::fail::IO });
        assert!(map.complete(failed.id, Outcome::Done).is_empty());
        assert!(map.settle().is_empty(), "not at once");
        let due = map.due().unwrap();
        map.set_time(due - 1);
        assert!(map.settle().is_empty());
        map.set_time(due);
        assert_eq!(one(map.settle()).op, Op::Retry { domain: 1 });
        assert_eq!(map.due(), None, "told once");
    }
    assert_eq!(map.totals().broken, 12);
    // One that is written ends it: the next failure waits as short as the first.
    let at = map.due().unwrap_or(1_000_000);
    map.set_time(at);
    let block = swap_out(&mut map, P);
    assert!(map.page_in(P, block).len() == 1 && map.page(P).0 == Some(block));
    let write = one(map.page_out(PageId { domain: 1, page: 6 }, false));
    map.complete(write.id, Outcome::Failed);
    assert_eq!(map.due(), Some(at + 10));
    map.audit().unwrap();
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

/// A write whose record cannot be written; the block that it was to.
fn sicken(map: &mut Map) -> BlockRef {
    let block = swap_out(map, P);
    let journal = one(map.guest_write(R, 3, 0, &write_of(P, block)));
    let failed = one(map.complete(journal.id, Outcome::Failed));
    assert_eq!(failed.op, Op::Complete { request: R, status: Status::IoError, associate: false });
    assert!(!map.journal_is_well());
    block
}

#[test]
fn while_the_journal_fails_swapped_pages_are_copied_home() {
    let mut map = map();
    let block = sicken(&mut map);
    let copy = one(map.guest_write(R, 3, 8192, &write_of(P, block)));
    let Op::Write { to, ref pieces } = copy.op else { panic!("{copy:?}") };
    assert_eq!(to, Extent::block(3, 2));
    assert_eq!(pieces, &[Piece { len: 4096, source: Source::Host(Extent::slot(block.block())) }]);
    let done = one(map.complete(copy.id, Outcome::Done));
    assert_eq!(done.op, Op::Complete { request: R, status: Status::Ok, associate: false });
    // What could not be written down is no reference.
    assert_eq!((map.stats(1).r1_hits, map.stats(1).r1_copies), (0, 1));
    // A flush has something to commit, and cannot.
    let data = map.guest_flush(R, 3);
    assert!(map.complete(data[1].id, Outcome::Done).is_empty());
    assert!(map.complete(data[2].id, Outcome::Done).is_empty());
    let failed = one(map.complete(data[0].id, Outcome::Failed));
    assert_eq!(failed.op, Op::Complete { request: R, status: Status::IoError, associate: false });
    map.audit().unwrap();
}

#[test]
fn a_block_in_a_slot_is_not_touched_while_the_journal_fails() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let journal = one(map.guest_write(R, 3, 4096, &write_of(P, block)));
    map.complete(journal.id, Outcome::Done);
    let other = PageId { page: 6, ..P };
    let second = swap_out(&mut map, other);
    let journal = one(map.guest_write(R, 3, 0, &write_of(other, second)));
    map.complete(journal.id, Outcome::Failed);

    let data = [WriteSegment { len: 4096, payload: Payload::Data { at: 16, page: None } }];
    let ask = one(map.guest_write(R, 3, 4096, &data));
    assert_eq!(ask.op, Op::Journal(Vec::new()));
    let failed = one(map.complete(ask.id, Outcome::Failed));
    assert_eq!(failed.op, Op::Complete { request: R, status: Status::IoError, associate: false });
    let read = ReadSegment { len: 4096, at: 0, page: None, drops: None };
    let action = one(map.guest_read(R, 3, 4096, &[read]));
    assert!(matches!(action.op, Op::Read { from, .. } if from == Extent::slot(block.block())), "as it was");
    map.complete(action.id, Outcome::Done);

    // The next one finds the journal well, and everything is known again.
    let ask = one(map.guest_write(R, 3, 4096, &data));
    let write = one(map.complete(ask.id, Outcome::Done));
    assert!(map.journal_is_well());
    assert!(matches!(write.op, Op::Write { to, .. } if to == Extent::block(3, 1)));
    let action = one(map.guest_read(RequestId { request: 10, ..R }, 3, 0, &[read]));
    assert!(matches!(action.op, Op::Read { from, .. } if from == Extent::slot(second.block())));
    map.audit().unwrap();
}

#[test]
fn the_journal_is_asked_now_and_then_and_references_are_made_again() {
    let mut map = map();
    let block = sicken(&mut map);
    map.set_time(10);
    assert!(map.settle().is_empty(), "not at once");
    let due = map.due().unwrap();
    map.set_time(due);
    let ask = one(map.settle());
    assert_eq!(ask.op, Op::Journal(Vec::new()));
    assert!(map.settle().is_empty(), "one question at a time");
    assert!(map.complete(ask.id, Outcome::Failed).is_empty());
    map.set_time(map.due().unwrap());
    let ask = one(map.settle());
    assert!(map.complete(ask.id, Outcome::Done).is_empty());
    assert_eq!(map.due(), None);
    let journal = one(map.guest_write(R, 3, 8192, &write_of(P, block)));
    assert!(matches!(journal.op, Op::Journal(_)));
}

#[test]
fn a_slot_that_a_failed_record_let_go_of_is_not_used_before_the_journal_is_well() {
    let mut map = Map::new(Config { reserve: 0, ..Config::new(2) });
    map.attach(3, 1 << 20).unwrap();
    let other = PageId { page: 6, ..P };
    let first = swap_out(&mut map, P);
    let second = swap_out(&mut map, other);
    let journal = one(map.guest_write(R, 3, 0, &write_of(P, first)));
    map.complete(journal.id, Outcome::Done);
    map.release(P);
    // On disk, the block may be in the first slot or in the second.
    let journal = one(map.guest_write(R, 3, 0, &write_of(other, second)));
    map.settle();
    assert_eq!(map.totals().free, 0, "not before the record is written");
    map.complete(journal.id, Outcome::Failed);
    map.settle();
    assert_eq!(map.totals().free, 0);
    map.audit().unwrap();
    map.set_time(map.due().unwrap());
    let ask = one(map.settle());
    map.complete(ask.id, Outcome::Done);
    map.settle();
    assert_eq!(map.totals().free, 1);
    map.audit().unwrap();
}

#[test]
fn nobody_is_answered_for_a_domain_that_is_gone() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    map.set_switches(1, Switches::default());
    let read = |drops| ReadSegment { len: 4096, at: 0, page: Some(P.page), drops };
    let data = [WriteSegment { len: 4096, payload: Payload::Data { at: 16, page: None } }];
    let request = |request| RequestId { domain: 1, request };
    let reading = one(map.guest_read(request(1), 3, 0, &[read(Some(block))]));
    assert!(map.guest_write(request(2), 3, 0, &data).is_empty(), "it waits for the read");
    let writing = one(map.guest_write(request(3), 3, 8192, &data));
    let flushing = one(map.guest_flush(request(4), 3));
    map.audit().unwrap();
    assert!(map.domain_gone(1).is_empty());
    map.audit().unwrap();
    for action in [reading, writing, flushing] {
        assert_eq!(map.complete(action.id, Outcome::Done), [], "{action:?}");
        map.audit().unwrap();
    }
    // A request of the same name is one of its own.
    let again = one(map.guest_read(request(1), 3, 0, &[read(None)]));
    assert!(matches!(one(map.complete(again.id, Outcome::Done)).op, Op::Complete { .. }));
    map.settle();
    map.detach(3, false).unwrap();
    assert_eq!(map.totals().free, 256);
}

#[test]
fn a_page_that_the_hypervisor_cannot_take_is_offered_ever_more_seldom() {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let mut load = one(map.page_in(P, block));
    let mut now = 0;
    for pause in [10, 20, 40, 80, 160, 160] {
        assert!(matches!(load.op, Op::Load { page: P, demanded: true, .. }));
        assert!(map.complete(load.id, Outcome::Declined).is_empty());
        assert!(map.settle().is_empty());
        assert_eq!(map.due(), Some(now + pause));
        map.set_time(now + pause - 1);
        assert!(map.settle().is_empty(), "not yet");
        now += pause;
        map.set_time(now);
        load = one(map.settle());
    }
    assert!(map.complete(load.id, Outcome::Done).is_empty());
    assert_eq!((map.due(), map.page(P).0), (None, None));
    map.audit().unwrap();
}

#[test]
fn nothing_is_offered_that_was_released_meanwhile_or_whose_domain_is_gone() {
    for gone in [false, true] {
        let mut map = map();
        let block = swap_out(&mut map, P);
        let load = one(map.page_in(P, block));
        if gone {
            map.domain_gone(P.domain);
        }
        map.complete(load.id, Outcome::Declined);
        map.release(P);
        map.set_time(1000);
        assert_eq!((map.settle(), map.due()), (vec![], None));
        assert_eq!(map.totals().free, 256);
        map.audit().unwrap();
    }
}
