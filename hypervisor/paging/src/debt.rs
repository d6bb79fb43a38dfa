//! Flush debts: what is owed after a translation was removed or narrowed.
//!
//! A processor may use a translation, and walk a table, until it was told to forget both. So an
//! operation that takes something away returns a [`FlushDebt`], and what must not be reused
//! earlier (the frames of tables that fell out of the tree) is inside it. It comes out against a
//! [`Flushed`], which exists only after a flush that began later than the debt (XSA-480 is what
//! happens otherwise).
//!
//! The frames are a list linked through their own first words. A link has its low 12 bits clear,
//! so a processor that still walks the table sees an absent entry in every format.
//!
//! A debt that is dropped is never a danger to memory: its frames are leaked, not reused. But
//! what the owner did with the *leaf's* frame is the owner's care (`pages`: state Quarantine).

use crate::{Memory, Mfn, address::FRAME_SHIFT};

/// Owed: a flush of every CPU's translations of one tree.
#[must_use = "translations may be stale until this debt is paid"]
#[derive(Debug)]
pub struct FlushDebt {
    /// Which tree, and the last of its debts that this one stands for; `None`: nothing is owed.
    owed: Option<(Mfn, u64)>,
    tables: FrameList,
}

/// What a flush that starts now will have covered.
#[must_use = "the flush has still to be done"]
#[derive(Debug)]
pub struct Due {
    root: Mfn,
    upto: u64,
}

/// Proof of a flush of every CPU that may hold translations of a tree. Use it soon and drop it:
/// it must not outlive the tree.
#[must_use = "a proof that is not used pays no debt"]
#[derive(Debug)]
pub struct Flushed {
    root: Mfn,
    upto: u64,
}

/// Table frames that no processor can reach any more.
#[must_use = "frames that are not freed are lost"]
#[derive(Debug, Default)]
pub struct FrameList {
    /// First and last; `None` if the list is empty.
    ends: Option<(Mfn, Mfn)>,
    count: u64,
}

impl Due {
    pub(crate) const fn new(root: Mfn, upto: u64) -> Self {
        Self { root, upto }
    }

    /// Runs `flush`, which must return only when no CPU holds a translation of the tree that is
    /// older than the call, and gives the proof.
    pub fn settle(self, flush: impl FnOnce()) -> Flushed {
        flush();
        Flushed { root: self.root, upto: self.upto }
    }
}

impl FlushDebt {
    pub(crate) const fn new(root: Mfn, incurred: u64) -> Self {
        Self { owed: Some((root, incurred)), tables: FrameList { ends: None, count: 0 } }
    }

    /// No debt.
    pub const fn nothing() -> Self {
        Self { owed: None, tables: FrameList { ends: None, count: 0 } }
    }

    /// True if a flush is owed.
    #[must_use]
    pub const fn is_owed(&self) -> bool {
        self.owed.is_some()
    }

    /// How many table frames wait for the flush.
    #[must_use]
    pub const fn tables(&self) -> u64 {
        self.tables.count
    }

    /// Takes on another debt of the same tree, so that one flush pays both.
    ///
    /// # Errors
    /// The other debt, if it is another tree's.
    pub fn join(&mut self, mem: &(impl Memory + ?Sized), other: Self) -> Result<(), Self> {
        self.owed = match (self.owed, other.owed) {
            (Some((root, _)), Some((of_other, _))) if root != of_other => return Err(other),
            (Some((root, mine)), Some((_, theirs))) => Some((root, if mine > theirs { mine } else { theirs })),
            (mine, theirs) => mine.or(theirs),
        };
        self.tables.append(mem, other.tables);
        Ok(())
    }

    /// Pays with the proof of a flush and gives out the frames to free.
    ///
    /// # Errors
    /// The debt, if the proof is another tree's or the flush began before the debt was incurred.
    pub fn spend(self, proof: &Flushed) -> Result<FrameList, Self> {
        match self.owed {
            Some((root, incurred)) if root != proof.root || incurred > proof.upto => Err(self),
            _ => Ok(self.tables),
        }
    }

    /// Flushes (unless nothing is owed) and frees the tables. `flush` as in [`Due::settle`].
    /// The time is that of the flush and of one `free` for each of [`FlushDebt::tables`].
    pub fn pay(self, mem: &(impl Memory + ?Sized), flush: impl FnOnce()) {
        if self.is_owed() {
            flush();
        }
        self.tables.free(mem);
    }

    /// Puts a table that was taken out of the tree, and has only absent entries, under the debt.
    pub(crate) fn add_table(&mut self, mem: &(impl Memory + ?Sized), table: Mfn) {
        self.tables.append(mem, FrameList { ends: Some((table, table)), count: 1 });
    }
}

impl FrameList {
    /// Frames in the list.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// True if there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a frame that no processor can reach and whose content is of no use.
    pub fn push(&mut self, mem: &(impl Memory + ?Sized), frame: Mfn) {
        let list = core::mem::take(self);
        *self = Self { ends: Some((frame, frame)), count: 1 };
        self.append(mem, list);
    }

    /// Takes out a frame, to be given to [`Memory::free`].
    pub fn pop(&mut self, mem: &(impl Memory + ?Sized)) -> Option<Mfn> {
        let (first, last) = self.ends?;
        self.count -= 1;
        self.ends = (self.count > 0).then(|| (Mfn(mem.read(first, 0) >> FRAME_SHIFT), last));
        Some(first)
    }

    /// Frees all of them.
    pub fn free(mut self, mem: &(impl Memory + ?Sized)) {
        while let Some(frame) = self.pop(mem) {
            mem.free(frame);
        }
    }

    fn append(&mut self, mem: &(impl Memory + ?Sized), other: Self) {
        self.ends = match (self.ends, other.ends) {
            (Some((first, last)), Some((next, end))) => {
                mem.write(last, 0, next.0 << FRAME_SHIFT);
                Some((first, end))
            }
            (mine, theirs) => mine.or(theirs),
        };
        self.count += other.count;
    }
}
