//! The service channel as this daemon sees it: find the hypervisor's PCI function, share huge
//! pages with it, submit commands, take events.
//!
//! May depend on: `abi`, the operating system. Invariant: everything above this module speaks to
//! [`Hypervisor`] only, and holds shared memory only as [`Buffer`]s, of which no two overlap.
//! All `unsafe` of the daemon's channel is in [`mapping`], and in [`device`] where that takes slices of it.

pub mod bind;
pub mod buffer;
pub mod config_space;
pub mod device;
pub mod error;
pub mod event;
pub mod hugepages;
pub mod hypervisor;
pub mod line;
pub mod lock;
pub mod mapping;
pub mod pagemap;
pub mod registers;
pub mod rings;
pub mod sysfs;

pub use buffer::{Buffer, Pool};
pub use device::Channel;
pub use error::{AttachError, Lost};
pub use event::{Event, Request};
pub use hypervisor::Hypervisor;
pub use line::Line;
pub use lock::Lock;
