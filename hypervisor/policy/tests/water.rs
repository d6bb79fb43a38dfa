//! The marks: no oscillation, no overshoot, an end.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use policy::{Marks, Reclaim, water::is_calm, water::is_full};
use proptest::prelude::*;

proptest! {
    /// Left alone, eviction reaches the high mark, not a page further, and stops.
    #[test]
    fn it_ends_where_it_should(limit in 0u64..1 << 30, charged in 0u64..1 << 30, batch in 1u64..1 << 20) {
        let marks = Marks::for_limit(limit);
        let mut reclaim = Reclaim::new();
        let (mut now, mut calls) = (charged, 0u64);
        loop {
            let due = reclaim.due(marks, limit, now, 0, batch);
            prop_assert!(due <= batch && due <= now);
            if due == 0 {
                break;
            }
            now -= due;
            calls += 1;
            prop_assert!(calls <= charged / batch + 1);
        }
        prop_assert!(now <= limit);
        let began = charged > limit || limit - charged < marks.low();
        prop_assert_eq!(now, if began { charged.min(limit - marks.high()) } else { charged });
        prop_assert_eq!(reclaim.due(marks, limit, now, 0, batch), 0);
    }

    /// However slowly the pages leave, no more are asked for than are needed.
    #[test]
    fn pages_on_their_way_count(limit in 1000u64..100_000, over in 0u64..1000, steps in prop::collection::vec(0u64..64, 1..200)) {
        let marks = Marks::for_limit(limit);
        let mut reclaim = Reclaim::new();
        let (mut charged, mut leaving) = (limit + over, 0);
        for left in steps {
            leaving += reclaim.due(marks, limit, charged, leaving, 16);
            let left = left.min(leaving);
            charged -= left;
            leaving -= left;
            prop_assert!(charged - leaving >= limit - marks.high());
        }
    }

    /// From a calm domain nothing is evicted before it has had `margin` pages more.
    #[test]
    fn calm_is_far_from_eviction(limit in 0u64..1 << 30, charged in 0u64..1 << 30, margin in 1u64..1 << 20, more in 0u64..1 << 20) {
        let marks = Marks::for_limit(limit);
        if is_calm(marks, limit, charged, margin) && more <= margin {
            prop_assert_eq!(Reclaim::new().due(marks, limit, charged + more, 0, 64), 0);
        }
    }

    #[test]
    fn any_numbers(low: u64, high: u64, numbers in prop::collection::vec(any::<(u64, u64, u64, u64)>(), 1..9)) {
        if let Some(marks) = Marks::new(low, high) {
            let mut reclaim = Reclaim::new();
            for (limit, charged, leaving, batch) in numbers {
                prop_assert!(reclaim.due(marks, limit, charged, leaving, batch) <= batch.min(charged));
            }
        } else {
            prop_assert!(low > high);
        }
    }
}

#[test]
fn between_the_marks_nothing_begins() {
    let marks = Marks::for_limit(64_000);
    assert_eq!((marks.low(), marks.high()), (1000, 2000));
    let mut reclaim = Reclaim::new();
    assert_eq!(reclaim.due(marks, 64_000, 62_500, 0, 64), 0);
    assert_eq!(reclaim.due(marks, 64_000, 63_001, 0, 64), 64);
    assert_eq!(reclaim.due(marks, 64_000, 62_500, 0, 64), 64);
    assert_eq!(reclaim.due(marks, 64_000, 62_000, 0, 64), 0);
    assert_eq!(reclaim.due(marks, 64_000, 62_500, 0, 64), 0);
}

#[test]
fn full_is_at_the_limit() {
    assert!(is_full(5, 5) && is_full(0, 0) && !is_full(5, 4));
}
