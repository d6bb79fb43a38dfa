//! A two-way table: what names which content.
//!
//! Used for swapped pages, for the names of clean pages, and for pins of requests. Invariant: the
//! two directions hold the same pairs.

use abi::BlockRef;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

/// Keys, each with the content that it names. `K::default()` must be the least key.
#[derive(Default, Debug)]
pub(crate) struct Links<K> {
    to: BTreeMap<K, BlockRef>,
    from: BTreeSet<(BlockRef, K)>,
}

impl<K: Ord + Copy + Default> Links<K> {
    pub(crate) fn get(&self, key: K) -> Option<BlockRef> {
        self.to.get(&key).copied()
    }

    /// Returns what the key named before.
    pub(crate) fn insert(&mut self, key: K, block: BlockRef) -> Option<BlockRef> {
        let old = self.to.insert(key, block);
        if let Some(old) = old {
            self.from.remove(&(old, key));
        }
        self.from.insert((block, key));
        old
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<BlockRef> {
        let old = self.to.remove(&key)?;
        self.from.remove(&(old, key));
        Some(old)
    }

    pub(crate) fn len(&self) -> usize {
        self.to.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, BlockRef)> + '_ {
        self.to.iter().map(|(k, b)| (*k, *b))
    }

    /// The keys from `first` on, ascending.
    pub(crate) fn keys_from(&self, first: K) -> impl Iterator<Item = K> + '_ {
        self.to.range(first..).map(|(k, _)| *k)
    }

    /// Pairs whose content is `first` or one of the `len - 1` blocks after it, in block order.
    pub(crate) fn within(&self, first: BlockRef, len: u64) -> impl Iterator<Item = (BlockRef, K)> + '_ {
        let end = BlockRef(first.0 + len);
        self.from.range((Bound::Included((first, K::default())), Bound::Excluded((end, K::default())))).copied()
    }
}
