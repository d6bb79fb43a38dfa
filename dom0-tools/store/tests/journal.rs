//! The journal after kills, losses of power, errors and damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
use common::*;
use proptest::prelude::*;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{Backend, Error, Fault, Options, Store, check};
use tesseract::{Durable, Record, RefTable};

const LATER: [u8; 16] = [2; 16];

fn set(lba: u64, slot: Option<u64>) -> Record {
    Record::Set { disk: 1, lba, slot }
}

fn table(records: &[Record]) -> RefTable {
    let mut table = RefTable::new();
    records.iter().for_each(|r| table.apply(r, &mut Vec::new()));
    table
}

fn current(table: &RefTable) -> Vec<(u64, u64)> {
    table.range(1, 0, 1 << 40).collect()
}

fn after_power_loss(place: &Place) -> RefTable {
    let options = Options { boot: Some(LATER), ..Options::default() };
    let (_, recovered) = Store::open(&place.path, &options).unwrap();
    assert!(!recovered.same_boot);
    recovered.refs
}

#[test]
fn a_killed_daemon_loses_nothing_and_a_loss_of_power_goes_back_to_the_flush() {
    let place = place();
    let (mut store, _) = open(&place.path, Backend::Auto);
    let flushed = [set(1, Some(10)), set(2, Some(11)), Record::Mark { disk: 1, mark: 1 }];
    append(&mut store, flushed.to_vec());
    append(&mut store, vec![set(2, None), set(3, Some(12))]);
    append(&mut store, vec![Record::Commit { disk: 1, mark: 1 }, set(4, Some(13))]);
    drop(store);
    let (store, recovered) = open(&place.path, Backend::Auto);
    assert!(recovered.same_boot);
    assert_eq!(current(&recovered.refs), [(1, 10), (3, 12), (4, 13)]);
    assert_eq!(recovered.refs.tentative(1), 3);
    drop(store);
    let report = check(&place.path).unwrap();
    assert_eq!((report.refs, report.tentative, report.gap, report.wild), (4, 3, None, 0));
    assert_eq!(current(&after_power_loss(&place)), [(1, 10), (2, 11)]);
    // And stays there.
    let options = Options { boot: Some(LATER), ..Options::default() };
    let (_, recovered) = Store::open(&place.path, &options).unwrap();
    assert_eq!((current(&recovered.refs), recovered.same_boot), (vec![(1, 10), (2, 11)], true));
}

#[test]
fn many_generations_of_snapshots_keep_the_state() {
    let place = place();
    let (mut store, before) = open(&place.path, Backend::Auto);
    let generation = check_closed(&place, &mut store);
    let (mut store, _) = open(&place.path, Backend::Auto);
    let mut all = Vec::new();
    // Far more blocks than an area has.
    for round in 0..before.geometry.area * 3 {
        let records = vec![set(round % 97, (round % 5 != 0).then_some(round % 1000)), set(1000 + round % 50, Some(3))];
        store.journal(round, records.clone());
        all.extend(records);
        if round % 64 == 63 {
            wait(&mut store, 64);
        }
    }
    let left = (before.geometry.area * 3) % 64;
    wait(&mut store, left as usize);
    drop(store);
    assert!(check(&place.path).unwrap().generation > generation);
    let (_, recovered) = open(&place.path, Backend::Auto);
    assert_eq!(current(&recovered.refs), current(&table(&all)));
}

fn check_closed(place: &Place, store: &mut Store) -> u64 {
    append(store, vec![set(1, None)]);
    assert!(matches!(check(&place.path), Err(Error::InUse(_))), "an open store is nobody else's");
    // The caller opens it again.
    let (other, _) = {
        let path = place.dir.path().join("other");
        Store::format(&path, Some(16 << 20), false).unwrap();
        open(&path, Backend::Auto)
    };
    drop(std::mem::replace(store, other));
    check(&place.path).unwrap().generation
}

/// A store whose journal fails while the switch is on.
fn failing(place: &Place, fault: Fault) -> (Store, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(false));
    let hook: store::FaultHook = {
        let on = on.clone();
        Arc::new(move |a| (a.journal && on.load(Ordering::Relaxed)).then_some(fault))
    };
    let options = Options { faults: Some(hook), ..options(Backend::Auto) };
    (Store::open(&place.path, &options).unwrap().0, on)
}

const FAULTS: [Fault; 3] = [Fault::Error(5), Fault::Short(0), Fault::Short(4096)];

fn fails(store: &mut Store, records: Vec<Record>) {
    store.journal(7, records);
    assert!(wait(store, 1)[0].result.is_err());
}

/// Longer than appends fail at once after an error.
fn pause() {
    std::thread::sleep(std::time::Duration::from_millis(150));
}

#[test]
fn after_an_error_nothing_is_appended_and_what_was_stays_readable() {
    for fault in FAULTS {
        let place = place();
        let (mut store, on) = failing(&place, fault);
        append(&mut store, vec![set(1, Some(1))]);
        on.store(true, Ordering::Relaxed);
        fails(&mut store, (0..400).map(|i| set(100 + i, Some(2))).collect());
        pause();
        fails(&mut store, vec![set(2, Some(2))]);
        drop(store);
        let (_, recovered) = open(&place.path, Backend::Auto);
        let refs: Vec<_> = current(&recovered.refs);
        assert_eq!(refs.first(), Some(&(1, 1)));
        assert!(recovered.refs.current(1, 2).is_none());
    }
}

#[test]
fn a_journal_that_can_be_written_again_takes_up_what_had_failed() {
    for fault in FAULTS {
        let place = place();
        let (mut store, on) = failing(&place, fault);
        append(&mut store, vec![set(1, Some(1))]);
        on.store(true, Ordering::Relaxed);
        for lba in 2..5 {
            fails(&mut store, (0..400).map(|i| set(100 * lba + i, Some(2))).collect());
            pause();
        }
        on.store(false, Ordering::Relaxed);
        // Nothing new: only what failed.
        append(&mut store, Vec::new());
        append(&mut store, vec![set(3, Some(3))]);
        drop(store);
        let report = check(&place.path).unwrap();
        assert_eq!((report.gap, report.wild), (None, 0));
        let (_, recovered) = open(&place.path, Backend::Auto);
        let refs = &recovered.refs;
        assert_eq!((refs.current(1, 1), refs.current(1, 3), refs.len()), (Some(1), Some(3), 2 + 600));
    }
}

#[test]
fn after_a_sync_that_failed_the_journal_is_written_anew() {
    for what in [Durable::Store, Durable::Journal] {
        let place = place();
        let (on, named) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let hook: store::FaultHook = {
            let (on, named) = (on.clone(), named.clone());
            Arc::new(move |a| {
                // The superblock's copies are the first two blocks.
                named
                    .fetch_add(u64::from(a.journal && a.len > 0 && a.offset < 2 * tesseract::BLOCK), Ordering::Relaxed);
                (on.load(Ordering::Relaxed) && !a.journal && a.write && a.len == 0).then_some(Fault::Error(5))
            })
        };
        let (mut store, _) =
            Store::open(&place.path, &Options { faults: Some(hook), ..options(Backend::Auto) }).unwrap();
        append(&mut store, vec![set(1, Some(1))]);
        let before = named.load(Ordering::Relaxed);
        on.store(true, Ordering::Relaxed);
        store.sync(9, what);
        store.submit();
        assert!(wait(&mut store, 1)[0].result.is_err());
        on.store(false, Ordering::Relaxed);
        append(&mut store, vec![set(2, Some(2))]);
        assert_eq!(named.load(Ordering::Relaxed), before + 2, "{what:?}");
        append(&mut store, vec![set(3, Some(3))]);
        assert_eq!(named.load(Ordering::Relaxed), before + 2, "{what:?}");
        drop(store);
        let (_, recovered) = open(&place.path, Backend::Auto);
        assert_eq!(current(&recovered.refs), [(1, 1), (2, 2), (3, 3)]);
    }
}

#[test]
fn a_sync_that_failed_in_the_journals_thread_fails_the_next_sync_of_the_store() {
    let place = place();
    let on = Arc::new(AtomicBool::new(false));
    let hook: store::FaultHook = {
        let on = on.clone();
        Arc::new(move |a| (on.load(Ordering::Relaxed) && a.write && a.len == 0).then_some(Fault::Error(5)))
    };
    let (mut store, _) = Store::open(&place.path, &Options { faults: Some(hook), ..options(Backend::Auto) }).unwrap();
    let sync = |store: &mut Store| {
        store.sync(9, Durable::Store);
        store.submit();
        wait(store, 1)[0].result.is_ok()
    };
    assert!(sync(&mut store));
    on.store(true, Ordering::Relaxed);
    assert!(!sync(&mut store));
    // The new generation's sync has failed, too, once this is answered.
    fails(&mut store, vec![set(1, Some(1))]);
    on.store(false, Ordering::Relaxed);
    assert!(!sync(&mut store), "the kernel told the thread, and nobody else");
    assert!(sync(&mut store));
}

#[test]
fn syncs_of_the_store_are_one_after_the_other_and_shared() {
    let place = place();
    let (bad, begun) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let hook: store::FaultHook = {
        let (bad, begun) = (bad.clone(), begun.clone());
        Arc::new(move |a| {
            let sync = !a.journal && a.write && a.len == 0;
            begun.fetch_add(u64::from(sync), Ordering::Relaxed);
            (sync && bad.swap(false, Ordering::Relaxed)).then_some(Fault::Error(5))
        })
    };
    let (mut store, _) = Store::open(&place.path, &Options { faults: Some(hook), ..options(Backend::Auto) }).unwrap();
    for (token, what) in [(1, Durable::Store), (2, Durable::Journal), (3, Durable::Store)] {
        store.sync(token, what);
        store.submit();
        pause();
    }
    // The second asked before the first's failure was told: its success must not come before it.
    assert_eq!(begun.load(Ordering::Relaxed), 1);
    let told = |store: &mut Store, n| -> Vec<(u64, bool)> {
        wait(store, n).iter().map(|done| (done.token, done.result.is_ok())).collect()
    };
    assert_eq!(told(&mut store, 1), [(1, false)]);
    assert_eq!(told(&mut store, 2), [(2, true), (3, true)]);
    assert_eq!(begun.load(Ordering::Relaxed), 2);
    bad.store(true, Ordering::Relaxed);
    store.sync(4, Durable::Store);
    store.sync(5, Durable::Store);
    store.submit();
    store.sync(6, Durable::Store);
    store.submit();
    assert_eq!(told(&mut store, 3), [(4, false), (5, true), (6, true)]);
}

#[test]
fn a_new_generation_may_fail_at_any_of_its_writes_and_nothing_is_lost() {
    for good in 0..8 {
        let place = place();
        let left = Arc::new(std::sync::atomic::AtomicI64::new(i64::MAX));
        let hook: store::FaultHook = {
            let left = left.clone();
            Arc::new(move |a| (a.journal && left.fetch_sub(1, Ordering::Relaxed) <= 0).then_some(Fault::Error(5)))
        };
        let (mut store, _) =
            Store::open(&place.path, &Options { faults: Some(hook), ..options(Backend::Auto) }).unwrap();
        append(&mut store, (0..2000).map(|i| set(i, Some(i))).collect());
        // The append, and `good` writes of the attempts that follow.
        left.store(0, Ordering::Relaxed);
        fails(&mut store, vec![set(5000, Some(1))]);
        for _ in 0..4 {
            pause();
            left.store(good, Ordering::Relaxed);
            store.journal(8, Vec::new());
            let over = wait(&mut store, 1)[0].result.is_ok();
            assert!(!over || good >= 3, "superblocks were not written, {good}");
        }
        drop(store);
        let (_, recovered) = open(&place.path, Backend::Auto);
        assert_eq!(
            current(&recovered.refs).len(),
            2000 + usize::from(recovered.refs.current(1, 5000).is_some()),
            "{good}"
        );
    }
}

/// Flips a bit of the journal block at `index` of the present area.
fn damage(place: &Place, index: u64) {
    let report = check(&place.path).unwrap();
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&place.path).unwrap();
    let at = (2 + report.geometry.area * (report.generation % 2) + index) * 4096 + 40;
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

#[test]
fn damage_in_the_middle_is_refused_unless_the_power_was_lost() {
    let place = place();
    let (mut store, _) = open(&place.path, Backend::Auto);
    for i in 0..5 {
        append(
            &mut store,
            vec![set(i, Some(i)), Record::Mark { disk: 1, mark: i + 1 }, Record::Commit { disk: 1, mark: i + 1 }],
        );
    }
    drop(store);
    damage(&place, 3);
    assert_eq!(check(&place.path).unwrap().gap, Some(3));
    let refused = Store::open(&place.path, &options(Backend::Auto)).err();
    assert!(matches!(refused, Some(Error::Damaged { block: 3, .. })), "{refused:?}");
    assert_eq!(current(&after_power_loss(&place)).len(), 3);
}

#[test]
fn either_superblock_may_be_damaged_and_no_older_journal_comes_back() {
    for copy in 0..2 {
        let place = place();
        let (mut store, _) = open(&place.path, Backend::Auto);
        append(&mut store, vec![set(1, Some(1))]);
        drop(store);
        let generation = check(&place.path).unwrap().generation;
        let file = std::fs::OpenOptions::new().write(true).open(&place.path).unwrap();
        file.write_all_at(&[0xff; 512], copy * 4096 + 100).unwrap();
        let report = check(&place.path).unwrap();
        assert_eq!((report.generation, report.refs), (generation, 1));
        file.write_all_at(&[0xff; 512], (1 - copy) * 4096 + 100).unwrap();
        assert!(matches!(check(&place.path), Err(Error::Damaged { .. })));
    }
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        6 => (1..3u16, 0..6u64, prop::option::of(0..50u64)).prop_map(|(disk, lba, slot)| Record::Set { disk, lba, slot }),
        1 => (1..3u16, 1..9u64).prop_map(|(disk, mark)| Record::Mark { disk, mark }),
        1 => (1..3u16, 1..9u64).prop_map(|(disk, mark)| Record::Commit { disk, mark }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever batches were appended, and wherever the end was cut off: what is read is a prefix
    /// of whole batches; and a snapshot in between changes nothing.
    #[test]
    fn a_cut_journal_is_a_prefix(batches in prop::collection::vec(prop::collection::vec(record(), 1..300), 1..8), cut in 0u64..12, again: bool) {
        let place = place();
        let (mut store, _) = open(&place.path, Backend::Threads);
        let start = batches.len() / 2;
        for batch in &batches[..start] {
            append(&mut store, batch.clone());
        }
        if again {
            drop(store);
            store = open(&place.path, Backend::Threads).0;
        }
        for batch in &batches[start..] {
            append(&mut store, batch.clone());
        }
        drop(store);
        let report = check(&place.path).unwrap();
        let end = report.blocks.saturating_sub(cut);
        let file = std::fs::OpenOptions::new().write(true).open(&place.path).unwrap();
        let area = (2 + report.geometry.area * (report.generation % 2)) * 4096;
        file.write_all_at(&vec![0; (report.blocks - end) as usize * 4096], area + end * 4096).unwrap();
        drop(file);
        let (_, recovered) = open(&place.path, Backend::Threads);
        let mut model = RefTable::new();
        let mut states = vec![model.clone()];
        for record in batches.iter().flat_map(|b| b.chunks(254).map(<[_]>::to_vec)) {
            record.iter().for_each(|r| model.apply(r, &mut Vec::new()));
            states.push(model.clone());
        }
        let same = |a: &RefTable, b: &RefTable| {
            let mut a = a.clone();
            let mut b = b.clone();
            let now = (1..3u16).all(|d| a.range(d, 0, 99).eq(b.range(d, 0, 99)));
            a.roll_back();
            b.roll_back();
            now && (1..3u16).all(|d| a.range(d, 0, 99).eq(b.range(d, 0, 99)))
        };
        if cut == 0 {
            prop_assert!(same(&recovered.refs, &model));
        } else if !again {
            prop_assert!(states.iter().any(|s| same(s, &recovered.refs)));
        }
    }
}
