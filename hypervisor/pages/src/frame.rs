//! Machine frames: one record each.
//!
//! | from       | to                                | by                                            |
//! |------------|-----------------------------------|-----------------------------------------------|
//! | Reserved   | Free                              | `donate`: the firmware says it is RAM         |
//! | Free       | Hypervisor, Table, Domain, Dom0   | `claim`                                       |
//! | Domain     | Shared                            | `share`                                       |
//! | Shared     | Domain                            | `unshare`: one user is left                   |
//! | Domain, Shared | Quarantine                    | `quarantine`: no references, a flush is owed  |
//! | Quarantine | Free                              | `release`: the flush was paid                 |
//! | Hypervisor, Table | Free                       | `release`: no guest translation reached it    |
//!
//! dom0's frames stay dom0's. A table of zeroes says Reserved everywhere, so nothing is free
//! before it was donated.

mod error;
mod kind;
mod record;
mod table;

pub use error::{FrameError, Why};
pub use kind::{FrameKind, TRANSITIONS, allowed};
pub use record::{FrameRecord, MAX_REFERENCES, Owner};
pub use table::{FrameTable, Put};
