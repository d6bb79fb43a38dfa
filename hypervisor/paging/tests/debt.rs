//! Frames of tables come back only after a flush, and only once.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Recorder;
use paging::{Access, Cursor, FlushDebt, Gfn, LargeExecute, MemoryType, Mfn, Npt, Progress, Size, TableCursor, Tree};
use std::cell::Cell;

const WB: MemoryType = MemoryType::WriteBack;

fn tree(mem: &Recorder) -> Tree<Npt> {
    Tree::new(mem, 4, LargeExecute::Allowed).unwrap()
}

fn merged(mem: &Recorder, tree: &mut Tree<Npt>, gfn: u64) -> FlushDebt {
    tree.map(mem, Gfn(gfn), Mfn(gfn), Size::Large, Access::RW, WB).unwrap();
    tree.split(mem, Gfn(gfn)).unwrap().pay(mem, || {});
    tree.merge(mem, Gfn(gfn), Size::Large).unwrap()
}

#[test]
fn a_proof_that_is_older_than_the_debt_does_not_pay() {
    let mem = Recorder::new();
    let mut tree = tree(&mem);
    tree.map(&mem, Gfn(512), Mfn(512), Size::Large, Access::RW, WB).unwrap();
    tree.split(&mem, Gfn(512)).unwrap().pay(&mem, || {});
    let early = tree.due().settle(|| {});
    let debt = tree.merge(&mem, Gfn(512), Size::Large).unwrap();
    let in_use = mem.in_use();
    let debt = debt.spend(&early).expect_err("the flush came too early");
    assert_eq!((debt.tables(), mem.in_use()), (1, in_use));
    let proof = tree.due().settle(|| {});
    debt.spend(&proof).unwrap().free(&mem);
    assert_eq!(mem.in_use(), in_use - 1);
}

#[test]
fn a_proof_of_another_tree_does_not_pay() {
    let mem = Recorder::new();
    let (mut one, mut other) = (tree(&mem), tree(&mem));
    let debt = merged(&mem, &mut one, 512);
    for n in 0..8 {
        merged(&mem, &mut other, n * 512).pay(&mem, || {});
    }
    let proof = other.due().settle(|| {});
    let mut debt = debt.spend(&proof).expect_err("another tree's flush");
    let stranger = merged(&mem, &mut other, 0x10000);
    let stranger = debt.join(&mem, stranger).expect_err("another tree's debt");
    stranger.pay(&mem, || {});
    debt.pay(&mem, || {});
}

#[test]
fn joined_debts_are_paid_by_one_flush_and_free_every_table() {
    let mem = Recorder::new();
    let mut tree = tree(&mem);
    tree.map(&mem, Gfn(0), Mfn(1), Size::Small, Access::RW, WB).unwrap();
    let mut total = FlushDebt::nothing();
    assert!(!total.is_owed());
    let before = mem.in_use();
    for n in 1..=20 {
        let debt = merged(&mem, &mut tree, n * 512);
        total.join(&mem, debt).unwrap();
    }
    assert_eq!((total.tables(), mem.in_use()), (20, before + 20));
    let flushes = Cell::new(0);
    total.pay(&mem, || {
        assert_eq!(mem.in_use(), before + 20, "freed before the flush");
        flushes.set(flushes.get() + 1);
    });
    assert_eq!((flushes.get(), mem.in_use()), (1, before));
}

#[test]
fn a_table_under_a_debt_looks_absent_to_a_stale_walk() {
    let mem = Recorder::new();
    let mut tree = tree(&mem);
    let mut total = FlushDebt::nothing();
    let mut tables = Vec::new();
    for n in 1..=3 {
        mem.take_log();
        let debt = merged(&mem, &mut tree, n * 512);
        tables.extend(mem.take_log().into_iter().rev().find_map(|event| match event {
            common::Access::Allocate(frame) => Some(frame),
            _ => None,
        }));
        total.join(&mem, debt).unwrap();
    }
    assert_eq!(tables.len(), 3);
    for table in tables {
        assert!((0..512).all(|index| !<Npt as paging::Format>::is_present(mem.peek(table, index))));
    }
    total.pay(&mem, || {});
}

#[test]
fn widening_owes_nothing_and_narrowing_does() {
    let mem = Recorder::new();
    let mut tree = tree(&mem);
    tree.map(&mem, Gfn(1), Mfn(1), Size::Small, Access::R, WB).unwrap();
    assert!(!tree.protect(&mem, Gfn(1), Size::Small, Access::RW).unwrap().debt.is_owed());
    assert!(tree.protect(&mem, Gfn(1), Size::Small, Access::RX).unwrap().debt.is_owed());
    let (dirty, debt) = tree.test_and_clear_dirty(&mem, Gfn(1)).unwrap();
    assert!(!dirty && !debt.is_owed());
    mem.touch::<Npt>(tree.root(), 4, Gfn(1), false);
    assert_eq!(tree.test_and_clear_accessed(&mem, Gfn(1)), Some(true));
    assert_eq!(tree.test_and_clear_accessed(&mem, Gfn(1)), Some(false));
    assert_eq!(tree.test_and_clear_accessed(&mem, Gfn(2)), None);
}

/// A large domain's teardown in pieces: every call stays within its budget, gets on, and at the
/// end not a frame is left.
#[test]
fn teardown_is_preemptible_and_complete() {
    let mem = Recorder::new();
    let mut tree = tree(&mem);
    for n in 0..3000 {
        tree.map(&mem, Gfn(n * 77), Mfn(n), Size::Small, Access::RW, WB).unwrap();
    }
    tree.map(&mem, Gfn(1 << 30), Mfn(1 << 20), Size::Huge, Access::RW, WB).unwrap();
    let all = Gfn(0)..tree.limit();
    let (budget, slack) = (700, 4);
    let mut cursor = Cursor::new(all.clone());
    let (mut leaves, mut calls) = (0, 0);
    loop {
        mem.take_log();
        let swept = tree.unmap_range_bounded(&mem, &mut cursor, budget, |_| leaves += 1);
        let reads = mem.take_log().iter().filter(|event| matches!(event, common::Access::Read(..))).count();
        assert!(reads <= 2 * budget as usize + slack, "{reads}");
        swept.debt.pay(&mem, || {});
        calls += 1;
        match swept.progress {
            Progress::More => {}
            Progress::Done => break,
            Progress::Refused(why) => panic!("{why}"),
        }
    }
    assert_eq!(leaves, 3001);
    assert!(calls > 10);
    let mut cursor = TableCursor::new(all);
    loop {
        mem.take_log();
        let swept = tree.free_tables_bounded(&mem, &mut cursor, budget);
        let reads = mem.take_log().iter().filter(|event| matches!(event, common::Access::Read(..))).count();
        assert!(reads <= budget as usize + 512 + slack, "{reads}");
        let before = mem.in_use();
        let tables = swept.debt.tables();
        swept.debt.pay(&mem, || {});
        assert_eq!(mem.in_use() as u64, before as u64 - tables);
        match swept.progress {
            Progress::More => {}
            Progress::Done => break,
            Progress::Refused(why) => panic!("{why}"),
        }
    }
    assert_eq!(mem.in_use(), 1);
    tree.dissolve(&mem).unwrap().pay(&mem, || {});
    assert_eq!(mem.in_use(), 0);
}

#[test]
fn a_tree_that_is_not_empty_does_not_dissolve() {
    let mem = Recorder::new();
    let mut tree = tree(&mem);
    tree.map(&mem, Gfn(9), Mfn(1), Size::Small, Access::R, WB).unwrap();
    let tree = tree.dissolve(&mem).expect_err("a leaf is in it");
    assert!(tree.lookup(&mem, Gfn(9)).is_some());
}
