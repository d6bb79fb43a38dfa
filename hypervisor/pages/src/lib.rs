//! The truth about memory: who owns each machine frame, and in which state each guest page is.
//!
//! A nested page table is a cache of what is here. Four things: [`FrameTable`], one word a
//! machine frame; [`PageState`], one word a guest page, with the one function [`step`] that
//! changes it; [`P2m`], the sparse array of a domain's page states; [`Pool`], which frames are free.
//!
//! May depend on: `abi` (names of content), `paging` (address types, table memory). No hardware,
//! no policy, no locks: the owner of a domain's pages serialises changes to its [`P2m`]; a
//! [`FrameTable`] is safe to share.
//!
//! Invariants:
//! 1. Nothing changes kind or state but along [`frame::TRANSITIONS`] and [`state::TRANSITIONS`];
//!    both tables are tried out, forbidden pairs included, when the hypervisor starts
//!    ([`self_test()`]).
//! 2. A frame becomes free only from Quarantine (a flush was paid) or from a kind that no
//!    processor's nested translation reaches; its generation is counted up then.
//! 3. A page state that holds a frame holds exactly one, and one that names content names it once.
#![no_std]
#![forbid(unsafe_code)]

pub mod frame;
pub mod p2m;
pub mod pool;
pub mod self_test;
pub mod state;

pub use frame::{FrameError, FrameKind, FrameRecord, FrameTable, Owner, Put};
pub use p2m::{Counts, P2m, P2mError, Progress};
pub use pool::Pool;
pub use self_test::{Mismatch, self_test};
pub use state::{Event, EventKind, Forbidden, PageState, StateKind, step};
