//! A set of interrupt vectors, as IRR, ISR and TMR hold it. Depends on nothing.
//!
//! Invariant: none; every bit pattern is a set.

/// A set of the vectors 0 to 255.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Vectors256([u64; 4]);

impl Vectors256 {
    /// No vector.
    pub const EMPTY: Self = Self([0; 4]);

    const fn place(vector: u8) -> (usize, u64) {
        ((vector >> 6) as usize, 1 << (vector & 63))
    }

    /// Adds `vector`; true if it was not in the set.
    pub const fn insert(&mut self, vector: u8) -> bool {
        let (word, bit) = Self::place(vector);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Takes `vector` out; true if it was in the set.
    pub const fn remove(&mut self, vector: u8) -> bool {
        let (word, bit) = Self::place(vector);
        let was = self.0[word] & bit != 0;
        self.0[word] &= !bit;
        was
    }

    /// Makes `vector` a member, or not.
    pub const fn set(&mut self, vector: u8, member: bool) {
        if member {
            self.insert(vector);
        } else {
            self.remove(vector);
        }
    }

    /// True if `vector` is in the set.
    #[must_use]
    pub const fn contains(&self, vector: u8) -> bool {
        let (word, bit) = Self::place(vector);
        self.0[word] & bit != 0
    }

    /// True if no vector is in the set.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0[0] | self.0[1] | self.0[2] | self.0[3] == 0
    }

    /// The highest vector, which is the one of highest priority (SDM 11.8.3).
    #[must_use]
    pub fn highest(&self) -> Option<u8> {
        (0u8..4).rev().find_map(|word| {
            let bits = self.0[usize::from(word)];
            bits.checked_ilog2().map(|bit| (word << 6) | bit as u8)
        })
    }

    /// 32 vectors from `32 * index` up, as the eight registers of IRR, ISR and TMR show them;
    /// 0 if `index` is above 7.
    #[must_use]
    pub fn register(&self, index: u32) -> u32 {
        self.0.get(index as usize / 2).map_or(0, |word| (word >> (index % 2 * 32)) as u32)
    }

    /// The members, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=255u8).filter(|vector| self.contains(*vector))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn behaves_as_a_set(steps in prop::collection::vec((any::<bool>(), any::<u8>()), 0..300)) {
            let mut set = Vectors256::EMPTY;
            let mut model = BTreeSet::new();
            for (insert, vector) in steps {
                if insert {
                    prop_assert_eq!(set.insert(vector), model.insert(vector));
                } else {
                    prop_assert_eq!(set.remove(vector), model.remove(&vector));
                }
                prop_assert_eq!(set.highest(), model.last().copied());
                prop_assert_eq!(set.is_empty(), model.is_empty());
            }
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
            for index in 0..9u32 {
                let expect = (0..32).filter(|bit| {
                    u8::try_from(index * 32 + bit).is_ok_and(|v| model.contains(&v))
                }).fold(0, |word, bit| word | 1 << bit);
                prop_assert_eq!(set.register(index), expect);
            }
        }
    }
}
