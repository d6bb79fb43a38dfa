//! The processor sets bits between the engine's read and its exchange: none is lost, and nothing
//! is tried for ever.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::Recorder;
use paging::{
    Access, ChangeError, Ept, Format, Gfn, LargeExecute, MapError, MemoryType, MergeError, Mfn, Npt, Size, SplitError,
    Tree,
};

const WB: MemoryType = MemoryType::WriteBack;

fn tree<F: Format>(mem: &Recorder) -> Tree<F> {
    Tree::new(mem, 4, LargeExecute::Allowed).unwrap()
}

/// First accessed, then dirty: as often as a processor can disturb.
fn hardware<F: Format>(_: Mfn, _: usize, word: u64) -> u64 {
    match word {
        word if !F::is_present(word) => word,
        word if word & F::ACCESSED == 0 => word | F::ACCESSED,
        word => word | F::DIRTY,
    }
}

fn large<F: Format>(mem: &Recorder) -> Tree<F> {
    let mut tree = tree::<F>(mem);
    tree.map(mem, Gfn(512), Mfn(1024), Size::Large, Access::RW, WB).unwrap();
    tree
}

fn bits_survive<F: Format + 'static>() {
    let mem = Recorder::new();
    let mut tree = large::<F>(&mem);
    mem.interfere(hardware::<F>);
    tree.split(&mem, Gfn(512)).unwrap().pay(&mem, || {});
    for n in 0..512 {
        let leaf = tree.lookup(&mem, Gfn(512 + n)).unwrap();
        assert!(leaf.accessed && leaf.dirty, "lost in the split");
        assert_eq!((leaf.mfn, leaf.size), (Mfn(1024 + n), Size::Small));
    }
    mem.leave_alone();
    for n in 0..512 {
        tree.test_and_clear_dirty(&mem, Gfn(512 + n)).unwrap().1.pay(&mem, || {});
        tree.test_and_clear_accessed(&mem, Gfn(512 + n)).unwrap();
    }
    // Marked as written by somebody else, while the processor sets the other bit.
    mem.interfere(hardware::<F>);
    tree.set_dirty(&mem, Gfn(512 + 7));
    mem.leave_alone();
    let leaf = tree.lookup(&mem, Gfn(512 + 7)).unwrap();
    assert!(leaf.dirty && leaf.accessed);
    tree.set_dirty(&mem, Gfn(4096));
    assert!(tree.lookup(&mem, Gfn(4096)).is_none(), "nothing is mapped there");
    tree.test_and_clear_dirty(&mem, Gfn(512 + 7)).unwrap().1.pay(&mem, || {});
    tree.test_and_clear_accessed(&mem, Gfn(512 + 7)).unwrap();
    // One page is written while its entry is being taken, and no other.
    let table = {
        let mut frame = tree.root();
        for level in (1..4).rev() {
            frame = F::frame(mem.peek(frame, paging::geometry::index(Gfn(512), level)), level);
        }
        frame
    };
    mem.interfere(
        move |frame, index, word| {
            if (frame, index) == (table, 300) { hardware::<F>(frame, index, word) } else { word }
        },
    );
    tree.merge(&mem, Gfn(512), Size::Large).unwrap().pay(&mem, || {});
    let leaf = tree.lookup(&mem, Gfn(512)).unwrap();
    assert!(leaf.dirty && leaf.accessed && leaf.size == Size::Large, "lost in the merge");

    mem.leave_alone();
    tree.test_and_clear_dirty(&mem, Gfn(512)).unwrap().1.pay(&mem, || {});
    mem.interfere(hardware::<F>);
    let changed = tree.protect(&mem, Gfn(512), Size::Large, Access::R).unwrap();
    assert!(changed.before.dirty);
    assert!(tree.lookup(&mem, Gfn(512)).unwrap().dirty, "lost in protect");
    changed.debt.pay(&mem, || {});

    mem.leave_alone();
    tree.test_and_clear_dirty(&mem, Gfn(512)).unwrap().1.pay(&mem, || {});
    mem.interfere(hardware::<F>);
    let removed = tree.unmap(&mem, Gfn(512), Size::Large).unwrap();
    assert!(removed.leaf.dirty, "lost in unmap");
    removed.debt.pay(&mem, || {});
}

#[test]
fn ept_bits_survive_every_operation() {
    bits_survive::<Ept>();
}

#[test]
fn npt_bits_survive_every_operation() {
    bits_survive::<Npt>();
}

/// A sampler that is disturbed finds the bit that was set meanwhile, and clears no other.
#[test]
fn sampling_clears_one_bit_and_sees_what_came_late() {
    let mem = Recorder::new();
    let mut tree = large::<Npt>(&mem);
    mem.touch::<Npt>(tree.root(), 4, Gfn(512), false);
    mem.interfere(hardware::<Npt>);
    assert_eq!(tree.test_and_clear_accessed(&mem, Gfn(512)), Some(true));
    mem.leave_alone();
    let leaf = tree.lookup(&mem, Gfn(512)).unwrap();
    assert!(leaf.dirty && !leaf.accessed);
    let (dirty, debt) = tree.test_and_clear_dirty(&mem, Gfn(512)).unwrap();
    assert!(dirty && debt.is_owed());
    debt.pay(&mem, || {});
    let mut turn = 0;
    mem.touch::<Npt>(tree.root(), 4, Gfn(512), true);
    mem.interfere(move |_, _, word| {
        turn += 1;
        if turn < 3 { word ^ Npt::ACCESSED } else { word }
    });
    let (dirty, debt) = tree.test_and_clear_dirty(&mem, Gfn(512)).unwrap();
    assert!(dirty && debt.is_owed());
    debt.pay(&mem, || {});
    mem.leave_alone();
    assert!(!tree.lookup(&mem, Gfn(512)).unwrap().dirty);
}

/// Somebody who changes the word at every look: the operation ends, with an error, and holds nothing.
fn adversary_is_survived<F: Format + 'static>() {
    let mem = Recorder::new();
    let mut tree = large::<F>(&mem);
    let in_use = mem.in_use();
    let flip = |_: Mfn, _: usize, word: u64| if word == 0 { word } else { word ^ F::ACCESSED };
    mem.interfere(flip);
    assert_eq!(tree.split(&mem, Gfn(512)).err(), Some(SplitError::Contended));
    assert_eq!(tree.unmap(&mem, Gfn(512), Size::Large).err(), Some(ChangeError::Contended));
    assert_eq!(tree.protect(&mem, Gfn(512), Size::Large, Access::R).err(), Some(ChangeError::Contended));
    assert_eq!(tree.replace(&mem, Gfn(512), Mfn(0), Size::Large, Access::R, WB).err(), Some(MapError::Contended));
    assert!(mem.take_log().len() < 5000);
    assert_eq!(mem.in_use(), in_use);
    mem.leave_alone();
    assert_eq!(tree.lookup(&mem, Gfn(512)).unwrap().access, Access::RW);

    // Another writer, not a processor: the word's frame changes.
    let mut other = 0;
    mem.interfere(move |_, _, word| {
        other += 1;
        if word == 0 { word } else { word ^ ((other & 1) << 30) }
    });
    assert_eq!(tree.split(&mem, Gfn(512)).err(), Some(SplitError::Contended));
    mem.leave_alone();
    assert_eq!(mem.in_use(), in_use);
}

#[test]
fn ept_adversary() {
    adversary_is_survived::<Ept>();
}

#[test]
fn npt_adversary() {
    adversary_is_survived::<Npt>();
}

/// A merge that cannot finish puts back what it took, with no dirty bit less.
#[test]
fn a_failed_merge_restores() {
    let mem = Recorder::new();
    let mut tree = large::<Ept>(&mem);
    tree.split(&mem, Gfn(512)).unwrap().pay(&mem, || {});
    mem.touch::<Ept>(tree.root(), 4, Gfn(520), true);
    mem.interfere(|_, index, word| if index == 400 && word != 0 { word ^ Ept::ACCESSED } else { word });
    assert_eq!(tree.merge(&mem, Gfn(512), Size::Large).err(), Some(MergeError::Contended));
    mem.leave_alone();
    for n in 0..512 {
        let leaf = tree.lookup(&mem, Gfn(512 + n)).unwrap();
        assert_eq!((leaf.mfn, leaf.access), (Mfn(1024 + n), Access::RW));
    }
    assert!(tree.lookup(&mem, Gfn(520)).unwrap().dirty);
    tree.merge(&mem, Gfn(512), Size::Large).unwrap().pay(&mem, || {});
}

/// Every allocation of every operation fails once: nothing leaks and no word changes.
#[test]
fn failed_allocations_leave_no_trace() {
    let mem = Recorder::new();
    let mut tree = large::<Npt>(&mem);
    for missing in 0..3 {
        let (words, in_use) = (mem.snapshot(), mem.in_use());
        mem.credit.set(missing);
        let result = tree.map(&mem, Gfn(1 << 30), Mfn(7), Size::Small, Access::RW, WB);
        assert_eq!(result, Err(MapError::NoMemory));
        assert_eq!((mem.snapshot(), mem.in_use()), (words.clone(), in_use));
        mem.credit.set(missing);
        let result = tree.replace(&mem, Gfn(1 << 30), Mfn(7), Size::Small, Access::RW, WB);
        assert_eq!(result.err(), Some(MapError::NoMemory));
        mem.credit.set(0);
        assert_eq!(tree.split(&mem, Gfn(512)).err(), Some(SplitError::NoMemory));
        assert_eq!((mem.snapshot(), mem.in_use()), (words, in_use));
    }
    mem.credit.set(3);
    tree.map(&mem, Gfn(1 << 30), Mfn(7), Size::Small, Access::RW, WB).unwrap();
    mem.credit.set(0);
    assert!(Tree::<Npt>::new(&mem, 4, LargeExecute::Allowed).is_none());
}
