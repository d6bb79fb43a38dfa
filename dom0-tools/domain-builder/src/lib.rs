//! From a domain file to a domain's first memory and boot state.
//!
//! [`config`] reads the domain file and tells of every mistake in it. [`kernel`] recognises and
//! checks a kernel, [`acpi`] makes the tables, [`layout`] says where in guest-physical memory
//! everything goes, and [`build`] puts it together into an [`Image`]: a sparse list of pages that
//! is read from its files piece by piece while the hypervisor is given them, and the state of the
//! first vCPU.
//!
//! Depends on `abi` (platform, boot state) and `protocol` (mistakes and failures as clients see
//! them); reads files, writes none, knows no hypervisor. Invariant: nothing in a domain file, a
//! kernel or an initial file system makes it panic or hold more than a bounded piece of a file in memory.
#![forbid(unsafe_code)]

pub mod acpi;
pub mod build;
pub mod config;
pub mod devices;
pub mod domain;
pub mod kernel;
pub mod layout;
pub mod source;

pub use build::{BuildError, Image, Piece, Pieces};
pub use devices::Device;
pub use domain::{Disk, Domain};
pub use protocol::{Mistake, Policy, Reconcile};
