//! The records of all frames, changed one at a time and without locks.

use super::{FrameError, FrameKind, FrameRecord, MAX_REFERENCES, Owner, Why, allowed};
use core::sync::atomic::{AtomicU32, Ordering};
use paging::Mfn;

/// What is left after a reference was given back.
#[must_use = "after the last one the frame is to be quarantined"]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
    /// So many others.
    Remaining(u16),
    /// None: whoever sees this quarantines the frame. Nobody else sees it.
    Last,
}

/// Records of the frames from `base` on.
#[derive(Clone, Copy, Debug)]
pub struct FrameTable<'a> {
    records: &'a [AtomicU32],
    base: Mfn,
}

impl<'a> FrameTable<'a> {
    /// `records[n]` is the record of frame `base + n`.
    #[must_use]
    pub const fn new(records: &'a [AtomicU32], base: Mfn) -> Self {
        Self { records, base }
    }

    /// What is known of a frame at this moment.
    ///
    /// # Errors
    /// The frame is not in the table, or its record is overwritten.
    pub fn record(&self, mfn: Mfn) -> Result<FrameRecord, FrameError> {
        decode(mfn, self.word(mfn)?.load(Ordering::Acquire))
    }

    /// Reserved to Free: the frame is RAM that nobody uses.
    ///
    /// # Errors
    /// It is not Reserved.
    pub fn donate(&self, mfn: Mfn) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            require(record.kind == FrameKind::Reserved, Why::Kind(record.kind))?;
            become_kind(record, FrameKind::Free, Owner::NOBODY, 0)
        })
    }

    /// Free to `kind`, with one reference. The content is the last owner's.
    ///
    /// # Errors
    /// It is not Free, or a free frame cannot become `kind`.
    pub fn claim(&self, mfn: Mfn, kind: FrameKind, owner: Owner) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            require(record.kind == FrameKind::Free, Why::Kind(record.kind))?;
            become_kind(record, kind, owner, 1)
        })
    }

    /// One more reference for `owner`; a Shared frame is everybody's.
    ///
    /// # Errors
    /// The frame is another's, of a kind that is not referred to, has no reference any more, or
    /// has [`MAX_REFERENCES`].
    pub fn get_ref(&self, mfn: Mfn, owner: Owner) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            require(record.kind.is_referable(), Why::Kind(record.kind))?;
            require(record.kind == FrameKind::Shared || record.owner == owner, Why::NotOwner)?;
            require(record.references > 0, Why::NoReference)?;
            require(record.references < MAX_REFERENCES, Why::TooManyReferences)?;
            Ok(FrameRecord { references: record.references + 1, ..record })
        })
    }

    /// Gives a reference back.
    ///
    /// # Errors
    /// There is none, or frames of this kind have none to give back.
    pub fn put_ref(&self, mfn: Mfn) -> Result<Put, FrameError> {
        let record = self.change(mfn, |record| {
            require(record.kind.is_referable(), Why::Kind(record.kind))?;
            require(record.references > 0, Why::NoReference)?;
            Ok(FrameRecord { references: record.references - 1, ..record })
        })?;
        Ok(if record.references == 0 { Put::Last } else { Put::Remaining(record.references) })
    }

    /// True if somebody beside the page's own translation holds on to the frame, so that it must
    /// not be reclaimed. A frame that cannot be told about counts as pinned.
    #[must_use]
    pub fn is_pinned(&self, mfn: Mfn) -> bool {
        !self.record(mfn).is_ok_and(|record| record.references == 1)
    }

    /// Domain to Shared: from now on nobody's, read-only, and everybody may refer to it.
    ///
    /// # Errors
    /// It is not `owner`'s memory, or is referred to beside its translation (a live request may
    /// write to it).
    pub fn share(&self, mfn: Mfn, owner: Owner) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            require(record.kind == FrameKind::Domain, Why::Kind(record.kind))?;
            require(record.owner == owner, Why::NotOwner)?;
            require(record.references == 1, Why::Referenced(record.references))?;
            become_kind(record, FrameKind::Shared, Owner::NOBODY, 1)
        })
    }

    /// Shared to Domain: the only one that is left makes it its own.
    ///
    /// # Errors
    /// It is not Shared, or others refer to it.
    pub fn unshare(&self, mfn: Mfn, owner: Owner) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            require(record.kind == FrameKind::Shared, Why::Kind(record.kind))?;
            require(record.references == 1, Why::Referenced(record.references))?;
            become_kind(record, FrameKind::Domain, owner, 1)
        })
    }

    /// Domain or Shared to Quarantine, after the last reference was put: the frame waits for a
    /// flush. It keeps its owner, who is charged for it so long.
    ///
    /// # Errors
    /// It is of another kind, or still has references.
    pub fn quarantine(&self, mfn: Mfn) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            require(record.references == 0 || !record.kind.is_referable(), Why::Referenced(record.references))?;
            become_kind(record, FrameKind::Quarantine, record.owner, 0)
        })
    }

    /// To Free: from Quarantine after the flush; from Hypervisor and Table when their one
    /// reference, the claim, is given up.
    ///
    /// # Errors
    /// It is of another kind or has other references.
    pub fn release(&self, mfn: Mfn) -> Result<FrameRecord, FrameError> {
        self.change(mfn, |record| {
            let own = u16::from(record.kind != FrameKind::Quarantine);
            // A reserved frame is donated, not released.
            require(record.kind != FrameKind::Reserved, Why::Kind(record.kind))?;
            let next = become_kind(record, FrameKind::Free, Owner::NOBODY, 0)?;
            require(record.references == own, Why::Referenced(record.references))?;
            Ok(FrameRecord { generation: record.generation.wrapping_add(1), ..next })
        })
    }

    fn word(&self, mfn: Mfn) -> Result<&'a AtomicU32, FrameError> {
        mfn.0
            .checked_sub(self.base.0)
            .and_then(|index| self.records.get(usize::try_from(index).ok()?))
            .ok_or(FrameError { mfn, why: Why::OutOfTable })
    }

    /// Replaces a record by what `change` makes of it and returns the new one. Tried again only
    /// when another CPU changed the record, so some CPU always gets on.
    fn change(
        &self,
        mfn: Mfn,
        change: impl Fn(FrameRecord) -> Result<FrameRecord, Why>,
    ) -> Result<FrameRecord, FrameError> {
        let word = self.word(mfn)?;
        let mut old = word.load(Ordering::Acquire);
        loop {
            let next = change(decode(mfn, old)?).map_err(|why| FrameError { mfn, why })?;
            match word.compare_exchange_weak(old, next.encode(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(next),
                Err(found) => old = found,
            }
        }
    }
}

fn decode(mfn: Mfn, word: u32) -> Result<FrameRecord, FrameError> {
    FrameRecord::decode(word).ok_or(FrameError { mfn, why: Why::Corrupt(word) })
}

fn require(condition: bool, why: Why) -> Result<(), Why> {
    if condition { Ok(()) } else { Err(why) }
}

/// The record with another kind, if the table has that transition.
fn become_kind(record: FrameRecord, kind: FrameKind, owner: Owner, references: u16) -> Result<FrameRecord, Why> {
    require(allowed(record.kind, kind), Why::Kind(record.kind))?;
    Ok(FrameRecord { kind, owner, references, ..record })
}
