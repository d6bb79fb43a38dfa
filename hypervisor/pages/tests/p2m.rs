//! The map of page states against a `BTreeMap`, and against memory that runs out.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use abi::BlockRef;
use common::Frames;
use pages::{Event, P2m, P2mError, PageState, Progress, StateKind};
use paging::{Cursor, Gfn, Mfn};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn gfn() -> impl Strategy<Value = Gfn> {
    let base = prop::sample::select(vec![0u64, 512, 511 * 512, 1 << 18, (1 << 27) - 512]);
    (base, prop::sample::select(vec![0u64, 1, 100, 511])).prop_map(|(base, offset)| Gfn(base + offset))
}

fn state() -> impl Strategy<Value = PageState> {
    prop_oneof![
        3 => Just(PageState::Absent),
        1 => Just(PageState::Ballooned),
        2 => (0u64..99).prop_map(|n| PageState::Resident { mfn: Mfn(n), associated: n & 1 == 0, young: true }),
        2 => (0u64..99).prop_map(|n| PageState::Swapped { block: BlockRef::new(1, 0, n).unwrap() }),
        1 => (0u64..99).prop_map(|n| PageState::Dma { mfn: Mfn(n) }),
    ]
}

#[derive(Clone, Debug)]
enum Op {
    Set(Gfn, PageState),
    Free(Gfn, u64, u32),
}

fn op() -> impl Strategy<Value = Op> {
    let length = prop::sample::select(vec![1u64, 512, 1 << 18, 1 << 27]);
    prop_oneof![
        9 => (gfn(), state()).prop_map(|(gfn, state)| Op::Set(gfn, state)),
        1 => (gfn(), length, 1..3000u32).prop_map(|(gfn, length, budget)| Op::Free(gfn, length, budget)),
    ]
}

fn free(mem: &Frames, p2m: &mut P2m, range: std::ops::Range<Gfn>, budget: u32) {
    let mut cursor = Cursor::new(range);
    loop {
        let (before, position) = (mem.reads.get(), cursor.position());
        let progress = p2m.free_tables_bounded(mem, &mut cursor, budget);
        assert!(mem.reads.get() - before <= 10 * u64::from(budget) + 1100, "over the budget");
        if progress == Progress::Done {
            return;
        }
        assert!(cursor.position() > position, "a call that does not get on");
    }
}

fn agree(ops: Vec<Op>, budget: u32) {
    let mem = Frames::new();
    let mut p2m = P2m::new(&mem).unwrap();
    let mut model = BTreeMap::new();
    for op in ops {
        match op {
            Op::Set(gfn, state) => {
                let before = p2m.set(&mem, gfn, state).unwrap();
                let expected = match state {
                    PageState::Absent => model.remove(&gfn),
                    state => model.insert(gfn, state),
                };
                assert_eq!(before, expected.unwrap_or(PageState::Absent));
            }
            Op::Free(gfn, length, budget) => free(&mem, &mut p2m, gfn..Gfn(gfn.0 + length), budget),
        }
        for kind in StateKind::ALL {
            let count = model.values().filter(|state: &&PageState| state.kind() == kind).count();
            assert_eq!(p2m.counts().of(kind), count as u64);
        }
        assert_eq!(p2m.tables(), mem.in_use());
    }
    let mut seen = Vec::new();
    let mut cursor = Cursor::new(Gfn(0)..Gfn(u64::MAX));
    loop {
        let before = mem.reads.get();
        let progress = p2m.for_each_bounded(&mem, &mut cursor, budget, |gfn, state| seen.push((gfn, state)));
        assert!(mem.reads.get() - before <= 10 * u64::from(budget) + 10, "over the budget");
        if progress.unwrap() == Progress::Done {
            break;
        }
    }
    assert_eq!(seen, model.iter().map(|(gfn, state)| (*gfn, *state)).collect::<Vec<_>>());
    for gfn in model.keys() {
        p2m.set(&mem, *gfn, PageState::Absent).unwrap();
    }
    free(&mem, &mut p2m, Gfn(0)..P2m::limit(), budget);
    assert_eq!(mem.in_use(), 1);
    assert!(p2m.dissolve(&mem).is_ok());
    assert_eq!(mem.in_use(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn like_a_btree_map(ops in prop::collection::vec(op(), 0..80), budget in 1..2000u32) {
        agree(ops, budget);
    }
}

#[test]
fn running_out_of_frames_changes_nothing() {
    let mem = Frames::new();
    let mut p2m = P2m::new(&mem).unwrap();
    let page = PageState::Ballooned;
    for credit in 0..2 {
        mem.credit.set(credit);
        assert_eq!(p2m.set(&mem, Gfn(77), page), Err(P2mError::NoMemory));
        assert_eq!((mem.in_use(), p2m.tables()), (1, 1));
        assert_eq!(*p2m.counts(), pages::Counts::default());
        assert_eq!(p2m.set(&mem, Gfn(77), PageState::Absent), Ok(PageState::Absent));
    }
    mem.credit.set(2);
    assert_eq!(p2m.set(&mem, Gfn(77), page), Ok(PageState::Absent));
    assert_eq!(p2m.set(&mem, Gfn(78), page), Ok(PageState::Absent), "the table is there");
}

#[test]
fn events_go_through_the_table() {
    let mem = Frames::new();
    let mut p2m = P2m::new(&mem).unwrap();
    let (gfn, mfn) = (Gfn(1234), Mfn(77));
    let (before, after) = p2m.apply(&mem, gfn, Event::Populate { mfn }).unwrap();
    assert_eq!((before, after.frame()), (PageState::Absent, Some(mfn)));
    assert_eq!(p2m.counts().frames(), 1);
    assert!(matches!(p2m.apply(&mem, gfn, Event::Deflate), Err(P2mError::Forbidden(_))));
    let wide = Event::CopyOnWrite { mfn: Mfn(1 << 36) };
    assert!(p2m.apply(&mem, gfn, wide).is_err());
    assert_eq!(p2m.apply(&mem, gfn, Event::Share { mfn: Mfn(1 << 36) }), Err(P2mError::Unrepresentable));
    assert_eq!(p2m.get(&mem, gfn), Ok(after));
    assert_eq!(p2m.get(&mem, P2m::limit()), Err(P2mError::OutOfRange));
    assert_eq!(p2m.set(&mem, P2m::limit(), PageState::Ballooned), Err(P2mError::OutOfRange));
    assert!(p2m.dissolve(&mem).is_err(), "a page is in it");
}

#[test]
fn a_region_is_uniform_only_as_a_whole() {
    let mem = Frames::new();
    let mut p2m = P2m::new(&mem).unwrap();
    let resident = |n| PageState::Resident { mfn: Mfn(n), associated: false, young: false };
    let uniform = |p2m: &P2m| p2m.uniform(&mem, Gfn(512 + 77), |mfn| mfn == Mfn(999));
    assert!(p2m.is_vacant(&mem, Gfn(600)) && !p2m.is_vacant(&mem, P2m::limit()));
    assert_eq!((uniform(&p2m), p2m.uniform(&mem, P2m::limit(), |_| false)), (None, None));
    for n in 0..512 {
        assert_eq!(uniform(&p2m), None);
        p2m.set(&mem, Gfn(512 + n), resident(1024 + n)).unwrap();
    }
    assert_eq!(uniform(&p2m), Some(Mfn(1024)));
    assert_eq!(p2m.uniform(&mem, Gfn(512), |mfn| mfn == Mfn(1535)), None, "pinned");
    let others = [
        PageState::Resident { mfn: Mfn(1024 + 511), associated: true, young: false },
        PageState::PagingOut { mfn: Mfn(1024 + 511), dirty: true },
        PageState::Shared { mfn: Mfn(1024 + 511) },
        resident(1024 + 510),
        PageState::Absent,
    ];
    for state in others {
        p2m.set(&mem, Gfn(512 + 511), state).unwrap();
        assert_eq!(uniform(&p2m), None, "{state:?}");
    }
    for n in 0..512 {
        assert!(!p2m.is_vacant(&mem, Gfn(600)) || n == 511);
        p2m.set(&mem, Gfn(512 + n), PageState::Ballooned).unwrap();
    }
    assert!(p2m.is_vacant(&mem, Gfn(600)), "pages without frames");
    for n in 0..512 {
        p2m.set(&mem, Gfn(512 + n), resident(1025 + n)).unwrap();
    }
    assert_eq!(uniform(&p2m), None, "not aligned");
}
