//! The frame table: what it refuses, and that references are never lost under contention.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pages::frame::{MAX_REFERENCES, Why};
use pages::{FrameKind, FrameRecord, FrameTable, Owner, Put};
use paging::{Fault, Mfn};
use proptest::prelude::*;
use std::sync::atomic::AtomicU32;

const GUEST: Owner = match Owner::domain(7) {
    Some(owner) => owner,
    None => Owner::NOBODY,
};
const OTHER: Owner = match Owner::domain(8) {
    Some(owner) => owner,
    None => Owner::NOBODY,
};

fn records(count: usize) -> Vec<AtomicU32> {
    (0..count).map(|_| AtomicU32::new(0)).collect()
}

#[test]
fn nothing_is_free_before_it_was_donated() {
    let records = records(2);
    let table = FrameTable::new(&records, Mfn(100));
    let refused = table.claim(Mfn(100), FrameKind::Domain, GUEST).unwrap_err();
    assert_eq!((refused.why, refused.fault()), (Why::Kind(FrameKind::Reserved), Fault::Ours));
    for outside in [99, 102, u64::MAX] {
        assert_eq!(table.donate(Mfn(outside)).unwrap_err().why, Why::OutOfTable);
    }
}

#[test]
fn a_domains_frame_lives_and_comes_back() {
    let records = records(1);
    let (table, mfn) = (FrameTable::new(&records, Mfn(5)), Mfn(5));
    table.donate(mfn).unwrap();
    for round in 0..300u32 {
        let claimed = table.claim(mfn, FrameKind::Domain, GUEST).unwrap();
        assert_eq!(u32::from(claimed.generation), round % 256);
        assert!(!table.is_pinned(mfn));
        table.get_ref(mfn, GUEST).unwrap();
        assert!(table.is_pinned(mfn));
        assert_eq!(table.get_ref(mfn, OTHER).unwrap_err().fault(), Fault::Caller);
        assert_eq!(table.share(mfn, GUEST).unwrap_err().why, Why::Referenced(2));
        assert_eq!(table.put_ref(mfn).unwrap(), Put::Remaining(1));
        assert_eq!(table.quarantine(mfn).unwrap_err().why, Why::Referenced(1));
        assert_eq!(table.release(mfn).unwrap_err().why, Why::Kind(FrameKind::Domain));
        assert_eq!(table.put_ref(mfn).unwrap(), Put::Last);
        assert_eq!(table.put_ref(mfn).unwrap_err().why, Why::NoReference);
        assert_eq!(table.get_ref(mfn, GUEST).unwrap_err().why, Why::NoReference);
        assert_eq!(table.quarantine(mfn).unwrap().owner, GUEST);
        assert!(table.claim(mfn, FrameKind::Domain, OTHER).is_err(), "reused before the flush");
        table.release(mfn).unwrap();
        assert!(table.release(mfn).is_err(), "freed twice");
    }
}

#[test]
fn references_saturate_with_an_error() {
    let records = records(1);
    let table = FrameTable::new(&records, Mfn(0));
    table.donate(Mfn(0)).unwrap();
    table.claim(Mfn(0), FrameKind::Domain, GUEST).unwrap();
    for _ in 1..MAX_REFERENCES {
        table.get_ref(Mfn(0), GUEST).unwrap();
    }
    let refused = table.get_ref(Mfn(0), GUEST).unwrap_err();
    assert_eq!((refused.why, refused.fault()), (Why::TooManyReferences, Fault::Domain));
    assert_eq!(table.put_ref(Mfn(0)).unwrap(), Put::Remaining(MAX_REFERENCES - 1));
}

#[test]
fn shared_frames_are_everybodys() {
    let records = records(1);
    let (table, mfn) = (FrameTable::new(&records, Mfn(0)), Mfn(0));
    table.donate(mfn).unwrap();
    table.claim(mfn, FrameKind::Domain, GUEST).unwrap();
    assert_eq!(table.share(mfn, OTHER).unwrap_err().why, Why::NotOwner);
    table.share(mfn, GUEST).unwrap();
    table.get_ref(mfn, OTHER).unwrap();
    assert_eq!(table.unshare(mfn, OTHER).unwrap_err().why, Why::Referenced(2));
    assert_eq!(table.put_ref(mfn).unwrap(), Put::Remaining(1));
    assert_eq!(table.unshare(mfn, OTHER).unwrap().owner, OTHER);
}

#[test]
fn dom0s_frames_stay_dom0s() {
    let records = records(1);
    let table = FrameTable::new(&records, Mfn(0));
    table.donate(Mfn(0)).unwrap();
    table.claim(Mfn(0), FrameKind::Dom0, Owner::DOM0).unwrap();
    assert_eq!(table.get_ref(Mfn(0), GUEST).unwrap_err().why, Why::NotOwner);
    assert_eq!(table.put_ref(Mfn(0)).unwrap(), Put::Last);
    assert!(table.quarantine(Mfn(0)).is_err());
    assert!(table.release(Mfn(0)).is_err());
}

#[test]
fn cpus_count_together() {
    let records = records(1);
    let table = FrameTable::new(&records, Mfn(0));
    table.donate(Mfn(0)).unwrap();
    table.claim(Mfn(0), FrameKind::Domain, GUEST).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    table.get_ref(Mfn(0), GUEST).unwrap();
                    assert!(matches!(table.put_ref(Mfn(0)).unwrap(), Put::Remaining(_)));
                }
            });
        }
    });
    assert_eq!(table.record(Mfn(0)).unwrap().references, 1);
    let last = std::thread::scope(|scope| {
        for _ in 0..3 {
            table.get_ref(Mfn(0), GUEST).unwrap();
        }
        let puts: Vec<_> = (0..4).map(|_| scope.spawn(|| table.put_ref(Mfn(0)).unwrap())).collect();
        puts.into_iter().map(|put| put.join().unwrap()).filter(|put| *put == Put::Last).count()
    });
    assert_eq!(last, 1, "exactly one sees the last reference go");
}

proptest! {
    #[test]
    fn any_word_is_a_record_or_refused(word: u32) {
        match FrameRecord::decode(word) {
            Some(record) => prop_assert_eq!(record.encode(), word),
            None => prop_assert!(word & 0xf >= 8),
        }
    }
}
