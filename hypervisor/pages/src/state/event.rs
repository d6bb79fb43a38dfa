//! What can happen to a page.

use abi::BlockRef;
use paging::{Fault, Mfn};

/// Something that happens to a page.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Event {
    /// It gets a zeroed frame: first touch, or loaded while the domain is built.
    Populate {
        /// The frame.
        mfn: Mfn,
    },
    /// It was used.
    Touch,
    /// It was not used since the last look.
    Age,
    /// It was written (its dirty bit was found set): dom0's name is not its content any more.
    Written,
    /// dom0 can name the content, and the page stayed clean.
    Associate,
    /// It was unmapped and flushed, to be paged out.
    Evict {
        /// Its dirty bit was set when it was unmapped.
        dirty: bool,
    },
    /// dom0 has the content.
    PageOutDone {
        /// Under this name.
        block: BlockRef,
    },
    /// dom0 could not take it.
    PageOutFailed,
    /// It was touched, or wanted by a request, before dom0 was done.
    PageOutCancelled,
    /// Its content is all zero: nothing needs to be kept.
    DropZero,
    /// Its content was asked for.
    PageInStart {
        /// Number of the live page-in record, which now holds the name.
        record: u32,
    },
    /// Somebody waits for it.
    Wait,
    /// Its content came, asked for or not.
    PageInDone {
        /// The frame that holds it.
        mfn: Mfn,
        /// dom0 keeps the name.
        keep: bool,
    },
    /// Its content cannot be read.
    PageInFailed {
        /// The name, from the record.
        block: BlockRef,
    },
    /// Its content has another name now.
    Move {
        /// The name so far.
        from: BlockRef,
        /// The new name.
        to: BlockRef,
    },
    /// It belongs to a saved image and is fetched when it is touched.
    Adopt {
        /// Name of the content.
        block: BlockRef,
    },
    /// The guest reported it free, or the domain ends.
    Discard,
    /// The guest put it into the balloon.
    Balloon,
    /// The guest took it out of the balloon.
    Deflate,
    /// A block read request will overwrite all of it.
    RequestRead {
        /// The fresh frame that the request fills.
        mfn: Mfn,
    },
    /// That request is over.
    RequestComplete {
        /// dom0 can name the content, and the page stayed clean.
        associated: bool,
    },
    /// Its frame was found equal to a shared one.
    Share {
        /// The shared frame.
        mfn: Mfn,
    },
    /// It was written to while shared.
    CopyOnWrite {
        /// The frame with its own copy.
        mfn: Mfn,
    },
    /// It is the last page that shares its frame.
    Unshare,
}

macro_rules! kinds {
    ($($name:ident),+ $(,)?) => {
        /// An event without its payload.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "documented at Event")]
        pub enum EventKind {
            $($name),+
        }

        impl EventKind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }

        impl Event {
            /// The event without its payload.
            #[must_use]
            pub const fn kind(self) -> EventKind {
                match self {
                    $(Self::$name { .. } => EventKind::$name),+
                }
            }
        }
    };
}

kinds!(
    Populate,
    Touch,
    Age,
    Written,
    Associate,
    Evict,
    PageOutDone,
    PageOutFailed,
    PageOutCancelled,
    DropZero,
    PageInStart,
    Wait,
    PageInDone,
    PageInFailed,
    Move,
    Adopt,
    Discard,
    Balloon,
    Deflate,
    RequestRead,
    RequestComplete,
    Share,
    CopyOnWrite,
    Unshare,
);

impl EventKind {
    /// Whose fault it is if the event comes in a state that forbids it: the guest's for what its
    /// balloon driver says, dom0's for answers to what was not asked, ours for everything that
    /// the hypervisor itself decides.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self {
            Self::Discard | Self::Balloon | Self::Deflate => Fault::Domain,
            Self::PageOutDone | Self::PageOutFailed | Self::PageInDone | Self::PageInFailed | Self::Move => {
                Fault::Caller
            }
            Self::Populate
            | Self::Touch
            | Self::Age
            | Self::Written
            | Self::Associate
            | Self::Evict
            | Self::PageOutCancelled
            | Self::DropZero
            | Self::PageInStart
            | Self::Wait
            | Self::Adopt
            | Self::RequestRead
            | Self::RequestComplete
            | Self::Share
            | Self::CopyOnWrite
            | Self::Unshare => Fault::Ours,
        }
    }
}
