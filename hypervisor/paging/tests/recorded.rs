//! The engine's accesses, one by one: what it touches, and in which order.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{Access as Event, Recorder};
use paging::{Access, Ept, Format, Gfn, LargeExecute, MemoryType, Mfn, Npt, Size, Tree};

const WB: MemoryType = MemoryType::WriteBack;

fn tree<F: Format>(mem: &Recorder) -> Tree<F> {
    Tree::new(mem, 4, LargeExecute::Allowed).unwrap()
}

#[test]
fn a_path_is_built_unseen_and_linked_last() {
    let mem = Recorder::new();
    let mut tree = tree::<Ept>(&mem);
    let root = tree.root();
    mem.take_log();
    tree.map(&mem, Gfn(0x40201), Mfn(0x99), Size::Small, Access::RW, WB).unwrap();
    let (a, b, c) = (Mfn(0x1001), Mfn(0x1002), Mfn(0x1003));
    assert_eq!(
        mem.take_log(),
        [
            Event::Read(root, 0, 0),
            Event::Allocate(a),
            Event::Allocate(b),
            Event::Allocate(c),
            Event::Write(a, 1, Ept::leaf(Mfn(0x99), Size::Small, Access::RW, WB)),
            Event::Write(b, 1, Ept::table(a)),
            Event::Write(c, 1, Ept::table(b)),
            Event::Exchange(root, 0, 0, Ept::table(c), true),
        ]
    );
}

#[test]
fn a_second_page_costs_four_reads_and_one_exchange() {
    let mem = Recorder::new();
    let mut tree = tree::<Npt>(&mem);
    tree.map(&mem, Gfn(5), Mfn(0x99), Size::Small, Access::RW, WB).unwrap();
    mem.take_log();
    tree.map(&mem, Gfn(6), Mfn(0x9a), Size::Small, Access::RW, WB).unwrap();
    let log = mem.take_log();
    assert_eq!(log.len(), 5);
    assert!(matches!(log[4], Event::Exchange(_, 6, 0, _, true)));
}

#[test]
fn a_lookup_writes_nothing() {
    let mem = Recorder::new();
    let mut tree = tree::<Npt>(&mem);
    tree.map(&mem, Gfn(5), Mfn(0x99), Size::Small, Access::RX, WB).unwrap();
    mem.take_log();
    let leaf = tree.lookup(&mem, Gfn(5)).unwrap();
    assert_eq!((leaf.mfn, leaf.access, leaf.memory_type), (Mfn(0x99), Access::RX, WB));
    assert_eq!(tree.lookup(&mem, Gfn(6)), None);
    assert_eq!(tree.lookup(&mem, tree.limit()), None);
    assert!(mem.take_log().iter().all(|event| matches!(event, Event::Read(..))));
}

#[test]
fn live_entries_are_never_plainly_written() {
    let mem = Recorder::new();
    let mut tree = tree::<Ept>(&mem);
    tree.map(&mem, Gfn(0), Mfn(0x200), Size::Large, Access::RW, WB).unwrap();
    let (root, levels) = (tree.root(), tree.levels());
    mem.take_log();
    tree.split(&mem, Gfn(7)).unwrap().pay(&mem, || {});
    let fresh = mem.take_log().iter().find_map(|event| match event {
        Event::Allocate(frame) => Some(*frame),
        _ => None,
    });
    assert!(mem.touch::<Ept>(root, levels, Gfn(7), true));
    let _ = tree.unmap(&mem, Gfn(7), Size::Small).unwrap();
    let _ = tree.protect(&mem, Gfn(8), Size::Small, Access::R).unwrap();
    let _ = tree.replace(&mem, Gfn(9), Mfn(1), Size::Small, Access::R, WB).unwrap();
    let _ = tree.test_and_clear_dirty(&mem, Gfn(10)).unwrap();
    assert!(fresh.is_some());
    assert!(!mem.take_log().iter().any(|event| matches!(event, Event::Write(..))));
}

#[test]
fn refusals_name_what_is_there() {
    use paging::{ChangeError, MapError, MergeError, SplitError};
    let mem = Recorder::new();
    let mut tree = Tree::<Ept>::new(&mem, 4, LargeExecute::Refused).unwrap();
    let large = |tree: &mut Tree<Ept>, gfn, mfn, access| tree.map(&mem, Gfn(gfn), Mfn(mfn), Size::Large, access, WB);
    assert_eq!(large(&mut tree, 1, 512, Access::RW), Err(MapError::Unaligned));
    assert_eq!(large(&mut tree, 512, 1, Access::RW), Err(MapError::Unaligned));
    assert_eq!(large(&mut tree, 512, 512, Access::RWX), Err(MapError::ExecutableLarge));
    assert_eq!(large(&mut tree, 512, 1 << 40, Access::RW), Err(MapError::BadFrame));
    assert_eq!(large(&mut tree, 1 << 36, 512, Access::RW), Err(MapError::OutOfRange));
    let write_only = Access { read: false, write: true, execute: false };
    assert_eq!(large(&mut tree, 512, 512, write_only), Err(MapError::BadAccess));
    large(&mut tree, 512, 512, Access::RW).unwrap();
    assert!(
        matches!(large(&mut tree, 512, 512, Access::RW), Err(MapError::Occupied(leaf)) if leaf.size == Size::Large)
    );
    let part = tree.unmap(&mem, Gfn(513), Size::Small);
    assert!(matches!(part, Err(ChangeError::OtherSize(leaf)) if leaf.gfn == Gfn(512)));
    assert_eq!(tree.split(&mem, Gfn(0)).err(), Some(SplitError::Absent));
    tree.split(&mem, Gfn(600)).unwrap().pay(&mem, || {});
    assert_eq!(tree.split(&mem, Gfn(600)).err(), Some(SplitError::Small));
    assert_eq!(large(&mut tree, 512, 512, Access::RW), Err(MapError::TableInTheWay));
    tree.unmap(&mem, Gfn(700), Size::Small).unwrap().debt.pay(&mem, || {});
    assert_eq!(tree.merge(&mem, Gfn(600), Size::Large).err(), Some(MergeError::NotUniform(188)));
    assert_eq!(tree.merge(&mem, Gfn(600), Size::Small).err(), Some(MergeError::Absent));
    assert_eq!(tree.merge(&mem, Gfn(2000), Size::Large).err(), Some(MergeError::Absent));
}

#[test]
fn five_levels_and_all_sizes() {
    let mem = Recorder::new();
    let mut tree = Tree::<Ept>::new(&mem, 5, LargeExecute::Allowed).unwrap();
    assert_eq!(tree.limit(), Gfn(1 << 40));
    for (n, size) in Size::ALL.into_iter().enumerate() {
        let (gfn, mfn) = (Gfn((n as u64 + 1) << 36), Mfn((n as u64 + 1) << 20));
        tree.map(&mem, gfn, mfn, size, Access::RWX, WB).unwrap();
        let last = Gfn(gfn.0 + size.frames() - 1);
        let leaf = tree.lookup(&mem, last).unwrap();
        assert_eq!(leaf.frame_of(last), Some(Mfn(mfn.0 + size.frames() - 1)));
        assert_eq!(tree.lookup(&mem, leaf.end()), None);
    }
    assert!(Tree::<Ept>::new(&mem, 3, LargeExecute::Allowed).is_none());
    assert!(Tree::<Ept>::new(&mem, 6, LargeExecute::Allowed).is_none());
}
