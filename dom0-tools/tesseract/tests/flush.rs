//! Flushes, and syncs that fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;
use tesseract::*;

/// Completes `todo` and what comes of it, well but for `failing`; what a request was told.
fn work_off(map: &mut Map, mut todo: Vec<Action>, failing: Option<&Op>) -> Option<Status> {
    let mut told = None;
    while let Some(action) = todo.pop() {
        if let Op::Complete { status, .. } = action.op {
            told = Some(status);
        }
        let outcome = if Some(&action.op) == failing { Outcome::Failed } else { Outcome::Done };
        todo.extend(map.complete(action.id, outcome));
    }
    told
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
fn a_store_that_did_not_become_durable_fails_the_next_flush_of_each_disk_with_bytes_in_it() {
    let mut map = map();
    map.attach(4, 1 << 20).unwrap();
    map.attach(5, 1 << 20).unwrap();
    for (disk, page) in [(3, 5), (4, 6)] {
        let page = PageId { domain: 1, page };
        let block = swap_out(&mut map, page);
        let journal = one(map.guest_write(R, disk, 0, &write_of(page, block)));
        map.complete(journal.id, Outcome::Done);
    }
    // Disk 3 has the bad luck to ask; the kernel tells only once.
    let data = map.guest_flush(R, 3);
    assert_eq!(data[1].op, Op::Sync(Durable::Store));
    for (action, outcome) in data.iter().zip([Outcome::Done, Outcome::Failed, Outcome::Done]) {
        let after = map.complete(action.id, outcome);
        assert!(after.iter().all(|a| a.op == Op::Complete { request: R, status: Status::IoError, associate: false }));
    }
    for (disk, status) in [(4, Status::IoError), (5, Status::Ok), (4, Status::Ok), (3, Status::Ok)] {
        let todo = map.guest_flush(R, disk);
        assert_eq!(work_off(&mut map, todo, None), Some(status), "{disk}");
    }
    map.audit().unwrap();
}

#[test]
fn a_store_that_did_not_become_durable_fails_flushes_that_are_under_way() {
    let mut map = map();
    map.attach(4, 1 << 20).unwrap();
    for (disk, page) in [(3, 5), (4, 6)] {
        let page = PageId { domain: 1, page };
        let block = swap_out(&mut map, page);
        let journal = one(map.guest_write(R, disk, 0, &write_of(page, block)));
        map.complete(journal.id, Outcome::Done);
    }
    let first = map.guest_flush(R, 3);
    let second = map.guest_flush(RequestId { domain: 1, request: 10 }, 4);
    map.complete(second[1].id, Outcome::Done);
    map.complete(first[1].id, Outcome::Failed);
    map.complete(second[0].id, Outcome::Done);
    let todo = map.complete(second[2].id, Outcome::Done);
    assert_eq!(work_off(&mut map, todo, None), Some(Status::IoError));
    // The commit was made all the same: nothing is held for a guest that never flushes again.
    assert_eq!(map.totals().commits, 1);
}

#[test]
fn no_reference_is_made_to_a_slot_from_before_a_sync_failed() {
    let mut map = map();
    map.attach(4, 1 << 20).unwrap();
    let [one_page, before, after] = [5, 6, 7].map(|page| PageId { domain: 1, page });
    let block = swap_out(&mut map, one_page);
    let doubtful = swap_out(&mut map, before);
    let journal = one(map.guest_write(R, 3, 0, &write_of(one_page, block)));
    map.complete(journal.id, Outcome::Done);
    let todo = map.guest_flush(R, 3);
    assert_eq!(work_off(&mut map, todo, Some(&Op::Sync(Durable::Store))), Some(Status::IoError));
    // Its bytes go home, where the image's own sync counts.
    let home = one(map.guest_write(R, 4, 0, &write_of(before, doubtful)));
    assert!(matches!(home.op, Op::Write { to, .. } if to == Extent::block(4, 0)), "{home:?}");
    work_off(&mut map, vec![home], None);
    let block = swap_out(&mut map, after);
    let journal = one(map.guest_write(R, 4, 4096, &write_of(after, block)));
    assert!(matches!(journal.op, Op::Journal(_)), "{journal:?}");
    work_off(&mut map, vec![journal], None);
    let todo = map.guest_flush(R, 4);
    assert_eq!(work_off(&mut map, todo, None), Some(Status::Ok));
    map.audit().unwrap();
}

#[test]
fn a_sync_that_failed_when_no_guest_asked_fails_the_next_flush_that_one_asks_for() {
    for failing in [Durable::Store, Durable::Disk(3)] {
        let mut map = flushed_reference();
        // The image is to be let go of: everything goes home, and the map flushes.
        let todo = map.resolve_all(3).unwrap();
        assert_eq!(work_off(&mut map, todo, Some(&Op::Sync(failing))), None);
        let todo = map.guest_flush(R, 3);
        assert_eq!(work_off(&mut map, todo, None), Some(Status::IoError), "{failing:?}");
        let todo = map.guest_flush(R, 3);
        assert_eq!(work_off(&mut map, todo, None), Some(Status::Ok));
    }
}

/// A map whose disk 3 has its block 0 in a slot, durably.
fn flushed_reference() -> Map {
    let mut map = map();
    let block = swap_out(&mut map, P);
    let journal = one(map.guest_write(R, 3, 0, &write_of(P, block)));
    map.complete(journal.id, Outcome::Done);
    let todo = map.guest_flush(R, 3);
    assert_eq!(work_off(&mut map, todo, None), Some(Status::Ok));
    map
}

/// Brings disk 3 home: whether block 0 was written, and what came of it.
fn resolve(map: &mut Map, fails: fn(&Op) -> bool) -> (bool, bool) {
    let (mut written, mut end) = (false, None);
    let mut todo = map.resolve_all(3).unwrap();
    while let Some(action) = todo.pop() {
        written |= matches!(action.op, Op::Write { to, .. } if to == Extent::block(3, 0));
        if let Op::Resolved { ok, .. } = action.op {
            end = Some(ok);
        }
        let outcome = if fails(&action.op) { Outcome::Failed } else { Outcome::Done };
        todo.extend(map.complete(action.id, outcome));
    }
    map.audit().unwrap();
    (written, end.unwrap())
}

#[test]
fn what_a_failure_may_have_lost_is_brought_home_again() {
    let failures: [fn(&Op) -> bool; 2] = [|op| *op == Op::Sync(Durable::Disk(3)), |op| matches!(op, Op::Write { .. })];
    for fails in failures {
        let mut map = flushed_reference();
        assert_eq!(resolve(&mut map, fails), (true, false));
        assert_eq!(map.references(3), 1);
        assert_eq!(resolve(&mut map, |_| false), (true, true));
        assert_eq!(map.references(3), 0);
    }
}

#[test]
fn a_failed_sync_that_a_guest_asked_for_counts_for_the_copies_made_before_it() {
    let mut map = flushed_reference();
    let home = one(map.resolve_all(3).unwrap());
    let sync = one(map.guest_flush(R, 3));
    let after = map.complete(home.id, Outcome::Done);
    assert!(after.is_empty(), "{after:?}");
    let todo = map.complete(sync.id, Outcome::Failed);
    assert!(todo.iter().any(|a| matches!(a.op, Op::Complete { status: Status::IoError, .. })), "{todo:?}");
    work_off(&mut map, todo, None);
    assert_eq!(map.references(3), 1);
    assert_eq!(resolve(&mut map, |_| false), (true, true));
}

#[test]
fn a_block_that_a_guest_writes_while_it_is_brought_home_is_the_guest_s() {
    let mut map = flushed_reference();
    let home = one(map.resolve_all(3).unwrap());
    let sync = one(map.complete(home.id, Outcome::Done));
    assert_eq!(sync.op, Op::Sync(Durable::Disk(3)));
    // Not written yet: until then the slot counts, whatever came to the home meanwhile.
    let segment = WriteSegment { len: 512, payload: Payload::Zero };
    let writes = map.guest_write(R, 3, 0, &[segment]);
    map.complete(sync.id, Outcome::Done);
    for write in writes {
        assert!(matches!(write.op, Op::Write { .. }), "{write:?}");
        let todo = map.complete(write.id, Outcome::Failed);
        work_off(&mut map, todo, None);
    }
    assert_eq!(map.references(3), 1);
    assert_eq!(resolve(&mut map, |_| false), (true, true));
}
