//! Random operations on a tree and on a map from guest frames to leaves: they must agree.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Recorder;
use paging::{
    Access, ChangeError, Cursor, Ept, Format, Gfn, LargeExecute, Leaf, LongMode, MapError, MemoryType, MergeError, Mfn,
    Npt, Progress, Size, SplitError, TableCursor, Tree,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Op {
    Map(Gfn, Mfn, Size, Access, MemoryType),
    Replace(Gfn, Mfn, Size, Access, MemoryType),
    Unmap(Gfn, Size),
    Protect(Gfn, Size, Access),
    Split(Gfn),
    Merge(Gfn, Size),
    Touch(Gfn, bool),
    ClearAccessed(Gfn),
    ClearDirty(Gfn),
    Sweep(Gfn, u64, u32),
    FreeTables(Gfn, u64, u32),
}

/// Few places, so that operations meet: around borders of 2 MiB, of 1 GiB, and of the tree.
fn gfn() -> impl Strategy<Value = Gfn> {
    let base = prop::sample::select(vec![0, 512, 1024, 1 << 18, (1 << 18) + 512, 2 << 18, (1 << 36) - 512]);
    let offset = prop_oneof![3 => Just(0), 1 => prop::sample::select(vec![1, 7, 511])];
    (base, offset).prop_map(|(base, offset)| Gfn(base + offset))
}

fn mfn() -> impl Strategy<Value = Mfn> {
    prop::sample::select(vec![0, 1, 512, 1024, 1 << 18, 3 << 18, (1 << 40) - (1 << 18)]).prop_map(Mfn)
}

fn size() -> impl Strategy<Value = Size> {
    prop_oneof![3 => Just(Size::Small), 3 => Just(Size::Large), 1 => Just(Size::Huge)]
}

fn access() -> impl Strategy<Value = Access> {
    prop::sample::select(vec![Access::R, Access::RW, Access::RX, Access::RWX])
}

fn memory_type() -> impl Strategy<Value = MemoryType> {
    prop_oneof![4 => Just(MemoryType::WriteBack), 1 => prop::sample::select(MemoryType::ALL.to_vec())]
}

fn op() -> impl Strategy<Value = Op> {
    let length = prop::sample::select(vec![1u64, 2, 512, 1 << 18, 1 << 36]);
    prop_oneof![
        6 => (gfn(), mfn(), size(), access(), memory_type()).prop_map(|(a, b, c, d, e)| Op::Map(a, b, c, d, e)),
        2 => (gfn(), mfn(), size(), access(), memory_type()).prop_map(|(a, b, c, d, e)| Op::Replace(a, b, c, d, e)),
        2 => (gfn(), size()).prop_map(|(a, b)| Op::Unmap(a, b)),
        2 => (gfn(), size(), access()).prop_map(|(a, b, c)| Op::Protect(a, b, c)),
        3 => gfn().prop_map(Op::Split),
        3 => (gfn(), size()).prop_map(|(a, b)| Op::Merge(a, b)),
        4 => (gfn(), any::<bool>()).prop_map(|(a, b)| Op::Touch(a, b)),
        1 => gfn().prop_map(Op::ClearAccessed),
        1 => gfn().prop_map(Op::ClearDirty),
        1 => (gfn(), length.clone(), 1..2000u32).prop_map(|(a, b, c)| Op::Sweep(a, b, c)),
        1 => (gfn(), length, 1..2000u32).prop_map(|(a, b, c)| Op::FreeTables(a, b, c)),
    ]
}

#[derive(Default)]
struct Model(BTreeMap<u64, Leaf>);

impl Model {
    fn covering(&mut self, gfn: Gfn) -> Option<&mut Leaf> {
        self.0.range_mut(..=gfn.0).next_back().map(|(_, leaf)| leaf).filter(|leaf| leaf.end() > gfn)
    }

    fn within(&self, gfn: Gfn, frames: u64) -> Vec<Leaf> {
        self.0.range(gfn.0..gfn.0 + frames).map(|(_, leaf)| *leaf).collect()
    }

    fn remove(&mut self, leaves: &[Leaf]) {
        self.0.retain(|gfn, _| !leaves.iter().any(|leaf| leaf.gfn.0 == *gfn));
    }

    fn insert(&mut self, leaf: Leaf) {
        self.0.insert(leaf.gfn.0, leaf);
    }
}

fn sweep<F: Format>(mem: &Recorder, tree: &mut Tree<F>, cursor: &mut Cursor, budget: u32) -> (Vec<Leaf>, Progress) {
    let mut gone = Vec::new();
    loop {
        let position = cursor.position();
        let swept = tree.unmap_range_bounded(mem, cursor, budget, |leaf| gone.push(leaf));
        swept.debt.pay(mem, || {});
        if swept.progress != Progress::More {
            return (gone, swept.progress);
        }
        assert!(cursor.position() > position, "a call that does not get on");
    }
}

fn free_tables<F: Format>(mem: &Recorder, tree: &mut Tree<F>, range: std::ops::Range<Gfn>, budget: u32) {
    let mut cursor = TableCursor::new(range);
    loop {
        let swept = tree.free_tables_bounded(mem, &mut cursor, budget);
        swept.debt.pay(mem, || {});
        match swept.progress {
            Progress::More => {}
            Progress::Done => return,
            Progress::Refused(why) => panic!("{why}"),
        }
    }
}

fn apply<F: Format>(mem: &Recorder, tree: &mut Tree<F>, model: &mut Model, op: Op) {
    match op {
        Op::Map(gfn, mfn, size, access, memory_type) => {
            let result = tree.map(mem, gfn, mfn, size, access, memory_type);
            let leaf = Leaf { gfn, mfn, size, access, memory_type, accessed: false, dirty: false };
            if !gfn.is_aligned(size.frames()) || !mfn.is_aligned(size.frames()) {
                assert_eq!(result, Err(MapError::Unaligned));
            } else if let Some(there) = model.covering(gfn).filter(|there| there.size >= size) {
                assert_eq!(result, Err(MapError::Occupied(*there)));
            } else if !model.within(gfn, size.frames()).is_empty() {
                assert_eq!(result, Err(MapError::TableInTheWay));
            } else if result == Err(MapError::TableInTheWay) {
                assert!(size > Size::Small);
                free_tables(mem, tree, gfn..leaf.end(), 10);
                assert_eq!(tree.map(mem, gfn, mfn, size, access, memory_type), Ok(()));
                model.insert(leaf);
            } else {
                assert_eq!(result, Ok(()));
                model.insert(leaf);
            }
        }
        Op::Replace(gfn, mfn, size, access, memory_type) => {
            let result = tree.replace(mem, gfn, mfn, size, access, memory_type);
            let there = model.covering(gfn).map(|leaf| *leaf);
            match result {
                Ok(replaced) => {
                    assert_eq!(replaced.old, there);
                    assert!(there.is_none_or(|there| there.size == size && replaced.debt.is_owed()));
                    replaced.debt.pay(mem, || {});
                    model.insert(Leaf { gfn, mfn, size, access, memory_type, accessed: false, dirty: false });
                }
                Err(MapError::Unaligned) => {
                    assert!(!gfn.is_aligned(size.frames()) || !mfn.is_aligned(size.frames()));
                }
                Err(MapError::Occupied(leaf)) => assert!(Some(leaf) == there && leaf.size > size),
                // A tree of empty tables two levels deep is not looked through.
                Err(MapError::TableInTheWay) => {
                    assert!(size == Size::Huge || !model.within(gfn, size.frames()).is_empty());
                }
                Err(other) => panic!("{other}"),
            }
        }
        Op::Unmap(gfn, size) => match tree.unmap(mem, gfn, size) {
            Ok(removed) => {
                assert_eq!(Some(removed.leaf), model.0.remove(&gfn.0));
                assert_eq!(removed.leaf.size, size);
                removed.debt.pay(mem, || {});
            }
            Err(ChangeError::OtherSize(leaf)) => {
                assert!(leaf.size > size);
                assert_eq!(model.covering(gfn), Some(&mut leaf.clone()));
            }
            Err(ChangeError::TableInTheWay) => assert!(size > Size::Small),
            Err(ChangeError::Absent) => {
                assert!(!gfn.is_aligned(size.frames()) || model.covering(gfn).is_none())
            }
            Err(other) => panic!("{other}"),
        },
        Op::Protect(gfn, size, access) => {
            if let Ok(protected) = tree.protect(mem, gfn, size, access) {
                let leaf = model.covering(gfn).unwrap();
                assert_eq!(protected.before, *leaf);
                leaf.access = access;
                protected.debt.pay(mem, || {});
            } else {
                assert!(model.0.get(&gfn.0).is_none_or(|leaf| leaf.size != size));
            }
        }
        Op::Split(gfn) => match tree.split(mem, gfn) {
            Ok(debt) => {
                debt.pay(mem, || {});
                let whole = *model.covering(gfn).unwrap();
                let part = whole.size.smaller().unwrap();
                for n in 0..512 {
                    let offset = n * part.frames();
                    let (gfn, mfn) = (Gfn(whole.gfn.0 + offset), Mfn(whole.mfn.0 + offset));
                    model.insert(Leaf { gfn, mfn, size: part, ..whole });
                }
            }
            Err(SplitError::Absent) => assert_eq!(model.covering(gfn), None),
            Err(SplitError::Small) => assert_eq!(model.covering(gfn).unwrap().size, Size::Small),
            Err(other) => panic!("{other}"),
        },
        Op::Merge(gfn, size) => {
            let base = gfn.align_down(size.frames());
            let parts = model.within(base, size.frames());
            let whole = parts.iter().copied().reduce(|all, part| Leaf {
                accessed: all.accessed || part.accessed,
                dirty: all.dirty || part.dirty,
                ..all
            });
            let alike = parts.len() == 512
                && parts.iter().enumerate().all(|(n, part)| {
                    let first = &parts[0];
                    (part.mfn.0, part.access, part.memory_type, part.size)
                        == (first.mfn.0 + n as u64 * part.size.frames(), first.access, first.memory_type, first.size)
                })
                && size.smaller() == Some(parts[0].size)
                && parts[0].mfn.is_aligned(size.frames());
            match tree.merge(mem, gfn, size) {
                Ok(debt) => {
                    assert!(alike, "merged what is not alike");
                    assert_eq!(debt.tables(), 1);
                    debt.pay(mem, || {});
                    model.remove(&parts);
                    model.insert(Leaf { size, ..whole.unwrap() });
                }
                Err(MergeError::Merged(leaf)) => {
                    assert_eq!(model.covering(gfn), Some(&mut leaf.clone()))
                }
                Err(_) => assert!(!alike, "not merged though alike"),
            }
        }
        Op::Touch(gfn, write) => {
            let came_through = mem.touch::<F>(tree.root(), tree.levels(), gfn, write);
            let leaf = model.covering(gfn).filter(|leaf| leaf.access.write || !write);
            assert_eq!(came_through, leaf.is_some());
            if let Some(leaf) = leaf {
                leaf.accessed = true;
                leaf.dirty |= write;
            }
        }
        Op::ClearAccessed(gfn) => {
            let was = model.covering(gfn).map(|leaf| std::mem::take(&mut leaf.accessed));
            assert_eq!(tree.test_and_clear_accessed(mem, gfn), was);
        }
        Op::ClearDirty(gfn) => {
            let was = model.covering(gfn).map(|leaf| std::mem::take(&mut leaf.dirty));
            let is = tree.test_and_clear_dirty(mem, gfn).map(|(was, debt)| {
                assert_eq!(was, debt.is_owed());
                debt.pay(mem, || {});
                was
            });
            assert_eq!(is, was);
        }
        Op::Sweep(start, length, budget) => {
            let end = Gfn(start.0 + length);
            let straddling = |model: &mut Model, at: Gfn| model.covering(at).filter(|leaf| leaf.gfn < at).is_some();
            let at_start = straddling(model, start);
            let at_end = end < tree.limit() && straddling(model, end);
            let mut expected = if at_start { Vec::new() } else { model.within(start, length) };
            if !at_start && at_end {
                expected.pop();
            }
            let (gone, progress) = sweep(mem, tree, &mut Cursor::new(start..end), budget);
            assert_eq!(gone, expected);
            assert_eq!(matches!(progress, Progress::Refused(ChangeError::OtherSize(_))), at_start || at_end);
            model.remove(&expected);
        }
        Op::FreeTables(start, length, budget) => free_tables(mem, tree, start..Gfn(start.0 + length), budget),
    }
}

fn agree<F: Format>(ops: Vec<Op>) {
    let mem = Recorder::new();
    let mut tree = Tree::<F>::new(&mem, 4, LargeExecute::Allowed).unwrap();
    let mut model = Model::default();
    for op in ops {
        apply(&mem, &mut tree, &mut model, op);
        assert_eq!(tree.tables(), mem.in_use() as u64);
        mem.take_log();
    }
    let all = Gfn(0)..tree.limit();
    let mut seen = Vec::new();
    let mut cursor = Cursor::new(all.clone());
    while tree.for_each_bounded(&mem, &mut cursor, 100, |leaf| seen.push(leaf)) == Progress::More {}
    assert_eq!(seen, model.0.values().copied().collect::<Vec<_>>());
    for leaf in &seen {
        assert_eq!(tree.lookup(&mem, Gfn(leaf.end().0 - 1)), Some(*leaf));
    }
    let (gone, progress) = sweep(&mem, &mut tree, &mut Cursor::new(all.clone()), 3000);
    assert_eq!((gone, progress), (seen, Progress::Done));
    free_tables(&mem, &mut tree, all, 3000);
    tree.dissolve(&mem).unwrap().pay(&mem, || {});
    assert_eq!(mem.in_use(), 0, "a table leaked");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn ept(ops in prop::collection::vec(op(), 1..120)) {
        agree::<Ept>(ops);
    }

    #[test]
    fn npt(ops in prop::collection::vec(op(), 1..120)) {
        agree::<Npt>(ops);
    }

    #[test]
    fn long_mode(ops in prop::collection::vec(op(), 1..60)) {
        agree::<LongMode>(ops);
    }
}
