//! Interrupts that stay in service at a real local APIC until somebody else ends them.
//!
//! A write of the end-of-interrupt register ends the *highest* vector in service (SDM 11.8.5), but the
//! one who was given the interrupts may end a lower one first: it has not taken the higher one yet.
//! Such an end is kept until it is that vector's turn.
//!
//! Invariant: `ended` is a part of `open`; the highest member of `open` has not ended.

use crate::Vectors256;

/// The vectors in service of one processor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Held {
    open: Vectors256,
    ended: Vectors256,
}

impl Held {
    /// None.
    pub const EMPTY: Self = Self { open: Vectors256::EMPTY, ended: Vectors256::EMPTY };

    /// `vector` was delivered, and is in service.
    pub fn begin(&mut self, vector: u8) {
        self.open.insert(vector);
        self.ended.remove(vector);
    }

    /// `vector` was ended by whom it was given to: how often to write the end-of-interrupt register now.
    #[must_use]
    pub fn end(&mut self, vector: u8) -> u32 {
        if !self.open.contains(vector) {
            return 0;
        }
        self.ended.insert(vector);
        let mut writes = 0;
        while let Some(highest) = self.open.highest().filter(|&highest| self.ended.contains(highest)) {
            self.open.remove(highest);
            self.ended.remove(highest);
            writes += 1;
        }
        writes
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    #[test]
    fn the_lower_one_is_ended_first() {
        let mut held = Held::EMPTY;
        held.begin(0x41);
        held.begin(0x62);
        assert_eq!(held.end(0x41), 0, "the register would end 0x62");
        assert_eq!(held.end(0x62), 2);
        assert_eq!(held.end(0x62), 0);
        assert_eq!(held, Held::EMPTY);
    }

    proptest! {
        /// Against a processor: a vector is delivered only above all that are in service, and a write
        /// takes the highest away. No vector leaves before it was ended, and none stays after all were.
        #[test]
        fn as_the_processor_counts(steps in prop::collection::vec((any::<bool>(), 0x20u8..=0xef), 0..200)) {
            let (mut held, mut real, mut due) = (Held::EMPTY, Vec::new(), BTreeSet::new());
            for (begins, vector) in steps {
                if begins {
                    if real.last().is_none_or(|&top| vector >> 4 > top >> 4) {
                        real.push(vector);
                        due.insert(vector);
                        held.begin(vector);
                    }
                } else if due.remove(&vector) {
                    for _ in 0..held.end(vector) {
                        let gone = real.pop();
                        prop_assert!(gone.is_some_and(|gone| !due.contains(&gone)));
                    }
                }
            }
            for vector in due.into_iter().collect::<Vec<_>>() {
                for _ in 0..held.end(vector) {
                    real.pop();
                }
            }
            prop_assert!(real.is_empty());
        }
    }
}
