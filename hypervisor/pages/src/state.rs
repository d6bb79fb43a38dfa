//! Guest pages: one state each.
//!
//! | from \ event    | becomes                                                                  |
//! |-----------------|--------------------------------------------------------------------------|
//! | Absent          | Populate: Resident. Adopt: Swapped. Balloon: Ballooned. Discard: Absent   |
//! | Resident        | Touch, Age, Written, Associate: Resident. Evict: PagingOut. Share: Shared. DropZero, Discard: Absent. Balloon: Ballooned |
//! | Shared          | Touch, Age: Shared. CopyOnWrite, Unshare: Resident. Discard: Absent. Balloon: Ballooned |
//! | Swapped         | PageInStart: PagingIn. PageInDone: Resident (read-around). RequestRead: Dma. Move: Swapped. Discard: Absent. Balloon: Ballooned |
//! | Ballooned       | Deflate: Absent. Populate: Resident (used before it was asked back)       |
//! | PagingIn        | Wait: PagingIn. PageInDone: Resident. PageInFailed: Swapped. Discard: Absent. Balloon: Ballooned |
//! | PagingOut       | PageOutDone: Swapped. PageOutFailed, PageOutCancelled: Resident. DropZero, Discard: Absent. Balloon: Ballooned |
//! | Dma             | Touch: Dma. RequestComplete: Resident                                     |
//!
//! Everything else is forbidden. A touch of a page that is on its way out is first
//! PageOutCancelled; a touch of a swapped page is PageInStart, then Wait. A page with a live
//! request on it (Dma, or a frame that is pinned) is neither evicted, discarded nor ballooned:
//! the request ends first.
//!
//! Who gets what is let go: a frame (from Resident, Shared, PagingOut, on Discard, Balloon,
//! DropZero, PageOutDone) goes to Quarantine; the name of content (from Swapped on Discard and
//! Balloon, from the live page-in record likewise) goes back to dom0 as a RELEASE event.

mod event;
mod page;
mod step;
mod table;

pub use event::{Event, EventKind};
pub use page::{BadWord, MFN_BITS, PageState, StateKind};
pub use step::{Forbidden, step};
pub use table::{TRANSITIONS, target};
