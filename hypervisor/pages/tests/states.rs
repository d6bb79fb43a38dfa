//! Page states: the self-test, words, and that no frame and no name is lost on the way.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use abi::BlockRef;
use pages::state::{MFN_BITS, TRANSITIONS, target};
use pages::{Event, EventKind, Forbidden, PageState, StateKind, self_test, step};
use paging::{Fault, Mfn};
use proptest::prelude::*;

fn mfn() -> impl Strategy<Value = Mfn> {
    (0u64..1 << MFN_BITS).prop_map(Mfn)
}

fn block() -> impl Strategy<Value = BlockRef> {
    (1u8..16, any::<u16>(), 0u64..1 << 40).prop_map(|(kind, unit, block)| BlockRef::new(kind, unit, block).unwrap())
}

fn state() -> impl Strategy<Value = PageState> {
    prop_oneof![
        Just(PageState::Absent),
        (mfn(), any::<bool>(), any::<bool>())
            .prop_map(|(mfn, associated, young)| { PageState::Resident { mfn, associated, young } }),
        mfn().prop_map(|mfn| PageState::Shared { mfn }),
        block().prop_map(|block| PageState::Swapped { block }),
        Just(PageState::Ballooned),
        (any::<u32>(), any::<bool>()).prop_map(|(record, waiters)| PageState::PagingIn { record, waiters }),
        (mfn(), any::<bool>()).prop_map(|(mfn, dirty)| PageState::PagingOut { mfn, dirty }),
        mfn().prop_map(|mfn| PageState::Dma { mfn }),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let plain = prop::sample::select(vec![
        Event::Touch,
        Event::Age,
        Event::Written,
        Event::Associate,
        Event::PageOutFailed,
        Event::PageOutCancelled,
        Event::DropZero,
        Event::Wait,
        Event::Discard,
        Event::Balloon,
        Event::Deflate,
        Event::Unshare,
    ]);
    prop_oneof![
        12 => plain,
        1 => mfn().prop_map(|mfn| Event::Populate { mfn }),
        1 => mfn().prop_map(|mfn| Event::RequestRead { mfn }),
        1 => mfn().prop_map(|mfn| Event::Share { mfn }),
        1 => mfn().prop_map(|mfn| Event::CopyOnWrite { mfn }),
        2 => (mfn(), any::<bool>()).prop_map(|(mfn, keep)| Event::PageInDone { mfn, keep }),
        2 => any::<bool>().prop_map(|dirty| Event::Evict { dirty }),
        1 => any::<bool>().prop_map(|associated| Event::RequestComplete { associated }),
        1 => any::<u32>().prop_map(|record| Event::PageInStart { record }),
        1 => block().prop_map(|block| Event::PageOutDone { block }),
        1 => block().prop_map(|block| Event::PageInFailed { block }),
        1 => block().prop_map(|block| Event::Adopt { block }),
        1 => (block(), block()).prop_map(|(from, to)| Event::Move { from, to }),
    ]
}

/// The frame that an event brings.
fn brings(event: Event) -> Option<Mfn> {
    match event {
        Event::Populate { mfn }
        | Event::RequestRead { mfn }
        | Event::Share { mfn }
        | Event::CopyOnWrite { mfn }
        | Event::PageInDone { mfn, .. } => Some(mfn),
        _ => None,
    }
}

#[test]
fn the_self_test_passes() {
    assert_eq!(self_test(), Ok(()));
}

#[test]
fn the_table_has_no_doubles_and_no_dead_ends() {
    for (n, (from, by, _)) in TRANSITIONS.iter().enumerate() {
        assert!(!TRANSITIONS[..n].iter().any(|(f, b, _)| (f, b) == (from, by)), "{from:?} {by:?} twice");
    }
    for kind in StateKind::ALL {
        assert!(TRANSITIONS.iter().any(|(from, _, to)| *from == kind && *to != kind), "{kind:?} is never left");
        assert!(TRANSITIONS.iter().any(|(from, _, to)| *to == kind && *from != kind), "{kind:?} is never reached");
    }
    for event in EventKind::ALL {
        assert!(TRANSITIONS.iter().any(|(_, by, _)| by == event), "{event:?} never happens");
    }
}

/// The documentation's table names exactly the transitions of the written one.
#[test]
fn the_documentation_is_the_table() {
    let text = include_str!("../src/state.rs");
    let mut documented = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("//! | ")) {
        let mut cells = line.trim_start_matches("//! |").split('|').map(str::trim);
        let (from, rest) = (cells.next().unwrap(), cells.next().unwrap());
        let Some(from) = StateKind::ALL.into_iter().find(|kind| format!("{kind:?}") == from) else {
            continue;
        };
        for part in rest.split('.').map(str::trim).filter(|part| !part.is_empty()) {
            let (events, to) = part.split_once(':').unwrap();
            let to = to.split('(').next().unwrap().trim();
            let to = StateKind::ALL.into_iter().find(|kind| format!("{kind:?}") == to).unwrap();
            for event in events.split(',').map(str::trim) {
                let by = EventKind::ALL.iter().find(|kind| format!("{kind:?}") == event).unwrap();
                documented.push((from, *by, to));
            }
        }
    }
    assert_eq!(documented.len(), TRANSITIONS.len());
    assert!(TRANSITIONS.iter().all(|transition| documented.contains(transition)));
}

#[test]
fn absent_is_the_word_zero_and_bad_words_are_refused() {
    assert_eq!(PageState::Absent.encode(), Some(0));
    assert_eq!(PageState::decode(0), Ok(PageState::Absent));
    for bad in [1, 4 << 60 | 1, 8 << 60, u64::MAX, 1 << 60 | 1 << 38, 3 << 60 | 5] {
        assert!(PageState::decode(bad).is_err(), "{bad:#x}");
    }
    assert_eq!(PageState::Shared { mfn: Mfn(1 << MFN_BITS) }.encode(), None);
    assert_eq!(PageState::Swapped { block: BlockRef::NONE }.encode(), None);
}

#[test]
fn a_move_must_name_what_is_there() {
    let (a, b) = (BlockRef::new(1, 0, 1).unwrap(), BlockRef::new(1, 0, 2).unwrap());
    let swapped = PageState::Swapped { block: a };
    assert_eq!(step(swapped, Event::Move { from: a, to: b }), Ok(PageState::Swapped { block: b }));
    let refused = step(swapped, Event::Move { from: b, to: a }).unwrap_err();
    assert_eq!(refused, Forbidden { state: StateKind::Swapped, event: EventKind::Move });
    assert_eq!(refused.fault(), Fault::Caller);
}

/// The life of a page as Tesseract wants it: clean out without a copy, dirty out with one.
#[test]
fn association_lasts_until_the_page_is_written() {
    let mfn = Mfn(9);
    let mut page = step(PageState::Absent, Event::Populate { mfn }).unwrap();
    page = step(page, Event::Associate).unwrap();
    assert_eq!(step(page, Event::Evict { dirty: false }), Ok(PageState::PagingOut { mfn, dirty: false }));
    assert_eq!(step(page, Event::Evict { dirty: true }), Ok(PageState::PagingOut { mfn, dirty: true }));
    page = step(page, Event::Written).unwrap();
    let out = step(page, Event::Evict { dirty: false }).unwrap();
    assert_eq!(out, PageState::PagingOut { mfn, dirty: true });
    let back = step(out, Event::PageOutCancelled).unwrap();
    assert_eq!(back, PageState::Resident { mfn, associated: false, young: true });
}

proptest! {
    #[test]
    fn states_survive_their_words(state in state()) {
        prop_assert_eq!(PageState::decode(state.encode().unwrap()), Ok(state));
    }

    #[test]
    fn words_are_states_or_refused(word: u64) {
        if let Ok(state) = PageState::decode(word) {
            prop_assert_eq!(state.encode(), Some(word));
        }
    }

    /// Frames come from where they should: out of the state or out of the event, never from nowhere.
    #[test]
    fn no_frame_from_nowhere(state in state(), event in event()) {
        match step(state, event) {
            Ok(next) => {
                prop_assert_eq!(target(state.kind(), event.kind()), Some(next.kind()));
                prop_assert!(next.encode().is_some());
                if let Some(frame) = next.frame() {
                    prop_assert_eq!(frame, brings(event).or(state.frame()).unwrap());
                }
                // A frame that the event brought is held, not dropped.
                if let Some(brought) = brings(event) {
                    prop_assert_eq!(next.frame(), Some(brought));
                }
                // Who had a frame of its own and is given one gave it away by a copy or a share.
                if state.frame().is_some() && brings(event).is_some() {
                    let copy = matches!(event, Event::Share { .. } | Event::CopyOnWrite { .. });
                    prop_assert!(copy);
                }
            }
            Err(Forbidden { state: kind, event: by }) => {
                prop_assert_eq!((kind, by), (state.kind(), event.kind()));
                prop_assert!(target(kind, by).is_none() || by == EventKind::Move);
            }
        }
    }
}
