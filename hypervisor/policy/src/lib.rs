//! Decisions as arithmetic: which page goes ([`second_chance`]), how many now ([`water`]), who
//! runs next ([`fair`]).
//!
//! May depend on: `paging` for the type of a guest frame number. No hardware, no clocks, no
//! allocation: times, states and bits come in as arguments or closures, decisions go out.
//!
//! Invariants: every call does bounded work; nothing panics or wraps, whatever the numbers are.
#![no_std]
#![forbid(unsafe_code)]

pub mod fair;
pub mod second_chance;
pub mod water;

pub use fair::{Entity, Queue};
pub use second_chance::{Hand, Look, Report};
pub use water::{Marks, Reclaim};
