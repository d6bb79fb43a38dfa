//! Free frames against a set; and what a reserved block promises.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use pages::Owner;
use pages::pool::{Block, FRAMES, PLENTY, Pool, Region};
use paging::{Gfn, Mfn};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const FIRST: u64 = 100;

/// Blocks from the hundredth on, all frames free.
fn pool(blocks: u64) -> Pool<Vec<Block>> {
    let mut pool = Pool::new((FIRST..FIRST + blocks).map(|n| Block::around(Mfn(n * FRAMES))).collect::<Vec<_>>());
    (FIRST * FRAMES..(FIRST + blocks) * FRAMES).for_each(|frame| assert!(pool.add(Mfn(frame))));
    pool
}

fn region(domain: u32, number: u64) -> Region {
    Region::of(Owner::domain(domain).unwrap(), Gfn(number * FRAMES)).unwrap()
}

#[test]
fn a_region_gets_its_frames_in_order() {
    let mut pool = pool(PLENTY + 1);
    let mine = region(3, 7);
    assert_eq!(pool.take_own(mine, 5), None, "nothing is reserved");
    let first = pool.reserve(mine, 5).unwrap();
    assert!(first.0 % FRAMES == 5 && pool.whole() == PLENTY);
    let base = first.0 - 5;
    for offset in (0..FRAMES).filter(|offset| *offset != 5) {
        assert!(!pool.is_complete(mine, first));
        assert_eq!(pool.take_own(mine, offset), Some(Mfn(base + offset)));
        assert_eq!(pool.take_own(mine, offset), None, "it is taken");
    }
    assert!(pool.is_complete(mine, first) && !pool.is_complete(region(3, 8), first));
    assert_eq!(pool.reserve(region(3, 8), 0), None, "no longer plenty");
    assert!(pool.put(Mfn(base + 9)) && !pool.is_complete(mine, first));
    assert_eq!(pool.take_own(mine, 9), Some(Mfn(base + 9)), "a frame that came back is the region's again");
    (base..base + FRAMES).for_each(|frame| assert!(pool.put(Mfn(frame))));
    assert_eq!((pool.free(), pool.whole()), ((PLENTY + 1) * FRAMES, PLENTY + 1));
    assert_eq!(pool.take_own(mine, 0), None, "the reservation ended with its last frame");
}

#[test]
fn reserved_frames_are_free_and_go_last() {
    let mut pool = pool(PLENTY + 1);
    let mine = region(1, 0);
    let own = pool.reserve(mine, 0).unwrap();
    assert_eq!(pool.free(), (PLENTY + 1) * FRAMES - 1);
    for _ in 0..PLENTY * FRAMES {
        let frame = pool.take().unwrap();
        assert_ne!(frame.0 / FRAMES, own.0 / FRAMES, "others' frames first");
    }
    assert!(pool.take_own(mine, 1).is_some(), "still reserved");
    assert_eq!(pool.take().unwrap().0 / FRAMES, own.0 / FRAMES, "then the reserved ones");
    assert_eq!(pool.take_own(mine, 4), None, "and the block is nobody's");
    assert!(!pool.is_complete(mine, own));
    while pool.take().is_some() {}
    assert_eq!((pool.free(), pool.whole()), (0, 0));
    assert!(!pool.is_complete(mine, own), "full of others' frames");
}

#[test]
fn most_regions_find_a_block() {
    let mut pool = pool(1000);
    let found = (0..800).filter(|&number| pool.reserve(region(1 + number as u32 % 3, number), 0).is_some()).count();
    assert!(found > 760, "{found} of 800");
}

#[test]
fn regions_are_told_apart() {
    let owner = |id| Owner::domain(id).unwrap();
    let all = [(1, 0), (1, 512), (1, (1 << 27) - 1), (2, 0), (1022, (1 << 27) - 1), (1022, 0)];
    let regions: Vec<_> = all.iter().map(|&(id, gfn)| Region::of(owner(id), Gfn(gfn)).unwrap()).collect();
    assert!((0..6).all(|n| (0..n).all(|m| regions[n] != regions[m])));
    assert_eq!(Region::of(owner(1), Gfn(511)), Some(regions[0]));
    assert_eq!(Region::of(owner(1), Gfn(1 << 27)), None);
    assert_eq!(Region::of(Owner::NOBODY, Gfn(0)), None);
}

#[derive(Clone, Debug)]
enum Op {
    Take(u16),
    Touch { domain: u32, number: u64, offset: u64 },
    Put(prop::sample::Index, u16),
    Block,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (1..2000u16).prop_map(Op::Take),
        6 => (1..3u32, 0..20u64, prop::sample::select(vec![0u64, 1, 63, 64, 511]))
            .prop_map(|(domain, number, offset)| Op::Touch { domain, number, offset }),
        2 => (any::<prop::sample::Index>(), 1..700u16).prop_map(|(at, count)| Op::Put(at, count)),
        1 => Just(Op::Block),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn like_a_set(ops in prop::collection::vec(op(), 0..60)) {
        let blocks = PLENTY + 8;
        let mut pool = pool(blocks);
        let mut used = BTreeSet::new();
        let mut at_place = BTreeMap::new();
        for op in ops {
            match op {
                Op::Take(count) => for _ in 0..count {
                    let Some(frame) = pool.take() else { break };
                    prop_assert!(used.insert(frame.0), "handed out twice");
                },
                Op::Touch { domain, number, offset } => {
                    let mine = region(domain, number);
                    let own = pool.take_own(mine, offset);
                    if let Some(frame) = own.or_else(|| pool.reserve(mine, offset)) {
                        prop_assert_eq!(frame.0 % FRAMES, offset);
                        prop_assert!(used.insert(frame.0), "handed out twice");
                        at_place.insert(frame.0, (domain, number));
                    }
                }
                Op::Put(at, count) => {
                    let all: Vec<u64> = used.iter().copied().collect();
                    let from = if all.is_empty() { 0 } else { at.index(all.len()) };
                    for frame in all.into_iter().skip(from).take(count.into()) {
                        prop_assert!(pool.put(Mfn(frame)) && !pool.put(Mfn(frame)));
                        used.remove(&frame);
                        at_place.remove(&frame);
                    }
                }
                Op::Block => if let Some(base) = pool.take_block() {
                    (base.0..base.0 + FRAMES).for_each(|frame| assert!(used.insert(frame)));
                },
            }
            prop_assert_eq!(pool.free(), blocks * FRAMES - used.len() as u64);
            let whole = (FIRST..FIRST + blocks).filter(|n| used.range(n * FRAMES..(n + 1) * FRAMES).next().is_none());
            prop_assert_eq!(pool.whole(), whole.count() as u64);
            for (&frame, &(domain, number)) in &at_place {
                let base = frame / FRAMES * FRAMES;
                let all = (base..base + FRAMES).all(|n| at_place.get(&n) == Some(&(domain, number)));
                prop_assert_eq!(pool.is_complete(region(domain, number), Mfn(frame)), all);
            }
        }
        prop_assert!(!pool.put(Mfn(FIRST * FRAMES - 1)) && !pool.put(Mfn((FIRST + blocks) * FRAMES)), "never the pool's");
    }
}
