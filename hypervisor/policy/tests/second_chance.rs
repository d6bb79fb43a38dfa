//! The clock hand: bounded, fair to what is used, blind to what is pinned.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use paging::Gfn;
use policy::{Hand, Look, Report};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
struct Page {
    look: Look,
    accessed: bool,
}

fn page() -> impl Strategy<Value = Page> {
    let look = prop_oneof![4 => Just(Look::Candidate), 1 => Just(Look::Pinned), 2 => Just(Look::Nothing)];
    (look, any::<bool>()).prop_map(|(look, accessed)| Page { look, accessed })
}

fn advance(hand: &mut Hand, pages: &mut [Page], wanted: u32, budget: u32) -> (Vec<u64>, Report) {
    let end = Gfn(pages.len() as u64);
    let pages = RefCell::new(pages);
    let mut chosen = Vec::new();
    let report = hand.advance(
        end,
        wanted,
        budget,
        |gfn| pages.borrow()[gfn.0 as usize].look,
        |gfn| std::mem::take(&mut pages.borrow_mut()[gfn.0 as usize].accessed),
        |gfn| {
            chosen.push(gfn.0);
            pages.borrow_mut()[gfn.0 as usize].look = Look::Nothing;
        },
    );
    (chosen, report)
}

proptest! {
    #[test]
    fn one_call(mut pages in prop::collection::vec(page(), 1..60), wanted in 0..80u32, budget in 0..300u32, from in 0..100u32) {
        let mut hand = Hand::new();
        let mut nothing = vec![Page { look: Look::Nothing, accessed: false }; 100];
        let _ = advance(&mut hand, &mut nothing, 1, from);
        let before = pages.clone();
        let (chosen, report) = advance(&mut hand, &mut pages, wanted, budget);
        prop_assert!(report.looked <= budget && report.chosen <= wanted);
        prop_assert_eq!(chosen.len(), report.chosen as usize);
        prop_assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), chosen.len());
        for gfn in &chosen {
            let page = &before[*gfn as usize];
            prop_assert_eq!(page.look, Look::Candidate);
            // An accessed page goes only in a later round.
            prop_assert!(!page.accessed || report.rounds > 0);
        }
        // With enough budget every candidate is found, accessed or not, and no more.
        let candidates = before.iter().filter(|page| page.look == Look::Candidate).count() as u32;
        if budget as usize >= 3 * before.len() {
            prop_assert_eq!(report.chosen, wanted.min(candidates));
        }
        prop_assert!(report.looked as usize <= 3 * before.len());
    }

    /// Many small calls choose what one large call chooses.
    #[test]
    fn resumable(pages in prop::collection::vec(page(), 1..60), budget in 1..7u32) {
        let (mut at_once, mut in_pieces) = (pages.clone(), pages.clone());
        let (all, _) = advance(&mut Hand::new(), &mut at_once, u32::MAX, 2 * pages.len() as u32);
        let mut hand = Hand::new();
        let (mut pieces, mut left) = (Vec::new(), 2 * pages.len() as u32);
        while left > 0 {
            let (some, report) = advance(&mut hand, &mut in_pieces, u32::MAX, budget.min(left));
            pieces.extend(some);
            left -= report.looked;
        }
        prop_assert_eq!(pieces, all);
    }
}

#[test]
fn what_is_used_stays() {
    let mut pages = vec![Page { look: Look::Candidate, accessed: false }; 100];
    let mut hand = Hand::new();
    let mut gone = BTreeSet::new();
    for _ in 0..50 {
        // The guest uses the first ten pages all the time.
        pages[..10].iter_mut().for_each(|page| page.accessed = true);
        gone.extend(advance(&mut hand, &mut pages, 2, 20).0);
    }
    assert_eq!(gone, (10..100).collect());
}

#[test]
fn holes_are_jumped_and_odd_answers_survived() {
    let mut hand = Hand::new();
    let end = Gfn(1 << 27);
    let report = hand.advance(end, 9, 5000, |gfn| Look::NothingUntil(Gfn(gfn.0 + (1 << 18))), |_| true, |_| panic!());
    assert_eq!((report.looked, report.rounds), (1024, 2));
    let report = hand.advance(end, 9, 10, |_| Look::NothingUntil(Gfn(0)), |_| true, |_| panic!());
    assert_eq!((report.looked, hand.position()), (10, Gfn(10)));
    let report = hand.advance(end, 9, 10, |_| Look::NothingUntil(Gfn(u64::MAX)), |_| true, |_| panic!());
    assert_eq!(report.rounds, 3);
    assert_eq!(hand.advance(Gfn(0), 9, 10, |_| Look::Candidate, |_| false, |_| panic!()), Report::default());
    // The domain has shrunk below the hand.
    let _ = hand.advance(end, 0, 0, |_| Look::Nothing, |_| false, |_| panic!());
    let mut chosen = Vec::new();
    let _ = hand.advance(Gfn(3), 2, 9, |_| Look::Candidate, |_| false, |gfn| chosen.push(gfn.0));
    assert_eq!(chosen.len(), 2);
    assert!(chosen.iter().all(|gfn| *gfn < 3));
}
