//! Tried when the hypervisor starts: do code and written tables say the same, about what is
//! allowed and about what is not?

use crate::frame::{FrameKind, FrameRecord, FrameTable, Owner, allowed};
use crate::state::{self, Event, EventKind, PageState, StateKind, step};
use abi::BlockRef;
use core::fmt;
use core::sync::atomic::AtomicU32;
use paging::Mfn;

/// The first difference that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// [`step`] and [`state::TRANSITIONS`] differ.
    Step {
        /// The state.
        state: StateKind,
        /// The event.
        event: EventKind,
        /// What the table says.
        table: Option<StateKind>,
        /// What the code does.
        code: Option<StateKind>,
    },
    /// A state does not survive its word.
    Word(PageState),
    /// No example of this event is tried.
    Untried(EventKind),
    /// [`FrameTable`] and [`crate::frame::TRANSITIONS`] differ.
    Frame {
        /// From this kind.
        from: FrameKind,
        /// To this kind.
        to: FrameKind,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step { state, event, table, code } => {
                write!(out, "page state {state:?} on {event:?}: the table says {table:?}, the code {code:?}")
            }
            Self::Word(state) => write!(out, "page state {state:?} does not survive its word"),
            Self::Untried(event) => write!(out, "event {event:?} has no example"),
            Self::Frame { from, to } => {
                write!(out, "frame kind {from:?} to {to:?}: table and code differ")
            }
        }
    }
}

impl core::error::Error for Mismatch {}

const A: Mfn = Mfn(0x1234);
const B: Mfn = Mfn((1 << state::MFN_BITS) - 1);
const BLOCK: BlockRef = BlockRef(1 << 56 | 77);
const MOVED: BlockRef = BlockRef(15 << 56 | 78);

const STATES: [PageState; 15] = [
    PageState::Absent,
    PageState::Resident { mfn: A, associated: false, young: false },
    PageState::Resident { mfn: A, associated: false, young: true },
    PageState::Resident { mfn: A, associated: true, young: false },
    PageState::Resident { mfn: B, associated: true, young: true },
    PageState::Shared { mfn: A },
    PageState::Shared { mfn: B },
    PageState::Swapped { block: BLOCK },
    PageState::Ballooned,
    PageState::PagingIn { record: 5, waiters: false },
    PageState::PagingIn { record: u32::MAX, waiters: true },
    PageState::PagingOut { mfn: A, dirty: false },
    PageState::PagingOut { mfn: B, dirty: true },
    PageState::Dma { mfn: A },
    PageState::Dma { mfn: B },
];

const EVENTS: [Event; 27] = [
    Event::Populate { mfn: B },
    Event::Touch,
    Event::Age,
    Event::Written,
    Event::Associate,
    Event::Evict { dirty: false },
    Event::Evict { dirty: true },
    Event::PageOutDone { block: BLOCK },
    Event::PageOutFailed,
    Event::PageOutCancelled,
    Event::DropZero,
    Event::PageInStart { record: 9 },
    Event::Wait,
    Event::PageInDone { mfn: B, keep: false },
    Event::PageInDone { mfn: B, keep: true },
    Event::PageInFailed { block: BLOCK },
    Event::Move { from: BLOCK, to: MOVED },
    Event::Adopt { block: BLOCK },
    Event::Discard,
    Event::Balloon,
    Event::Deflate,
    Event::RequestRead { mfn: B },
    Event::RequestComplete { associated: false },
    Event::RequestComplete { associated: true },
    Event::Share { mfn: B },
    Event::CopyOnWrite { mfn: B },
    Event::Unshare,
];

/// Tries every state with every event, every state's word, and every pair of frame kinds.
///
/// # Errors
/// The first difference: this build must not run.
pub fn self_test() -> Result<(), Mismatch> {
    for &kind in EventKind::ALL {
        if !EVENTS.iter().any(|event| event.kind() == kind) {
            return Err(Mismatch::Untried(kind));
        }
    }
    for state in STATES {
        for event in EVENTS {
            let (kind, by) = (state.kind(), event.kind());
            let table = state::target(kind, by);
            let next = step(state, event).ok();
            let code = next.map(PageState::kind);
            if code != table {
                return Err(Mismatch::Step { state: kind, event: by, table, code });
            }
            survives_its_word(next.unwrap_or(state))?;
        }
    }
    for from in FrameKind::ALL {
        for to in FrameKind::ALL {
            if reaches(from, to) != allowed(from, to) {
                return Err(Mismatch::Frame { from, to });
            }
        }
    }
    Ok(())
}

fn survives_its_word(state: PageState) -> Result<(), Mismatch> {
    match state.encode().map(PageState::decode) {
        Some(Ok(same)) if same == state => Ok(()),
        _ => Err(Mismatch::Word(state)),
    }
}

/// True if some operation takes a frame of one kind to the other.
fn reaches(from: FrameKind, to: FrameKind) -> bool {
    let owner = Owner::DOM0;
    (0..=2).any(|references| {
        let record = FrameRecord { kind: from, references, owner, generation: 255 };
        let operations: [fn(&FrameTable<'_>, FrameKind) -> bool; 7] = [
            |table, _| table.donate(A).is_ok(),
            |table, to| table.claim(A, to, Owner::DOM0).is_ok(),
            |table, _| table.share(A, Owner::DOM0).is_ok(),
            |table, _| table.unshare(A, Owner::DOM0).is_ok(),
            |table, _| table.quarantine(A).is_ok(),
            |table, _| table.release(A).is_ok(),
            |table, _| table.get_ref(A, Owner::DOM0).is_ok() && table.put_ref(A).is_ok(),
        ];
        operations.iter().any(|operation| {
            let records = [AtomicU32::new(record.encode())];
            let table = FrameTable::new(&records, A);
            operation(&table, to) && from != to && table.record(A).is_ok_and(|now| now.kind == to)
        })
    })
}
