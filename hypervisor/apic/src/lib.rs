//! Interrupt controllers as a domain sees them: a local APIC in x2APIC mode and an IO-APIC.
//!
//! State machines without hardware. They may depend on nothing of the hypervisor; the hypervisor
//! calls them with the domain's or vCPU's lock held and does what the returned effects say.
//! Invariant: no value that a guest or dom0 writes makes them panic or work for longer than a
//! pass over 256 vectors or 24 pins.
//!
//! "SDM" is Intel's Software Developer's Manual, volume 3, chapter 11 (APIC; chapter 10 in editions before 2022);
//! "82093AA" is the data sheet of the IO-APIC.
#![no_std]
#![forbid(unsafe_code)]

pub mod destination;
pub mod esr;
pub mod held;
pub mod icr;
pub mod io;
pub mod local;
pub mod local_msr;
pub mod lvt;
pub mod mode;
pub mod redirection;
pub mod registers;
pub mod timer;
pub mod vectors;
pub mod vet;

pub use destination::Destination;
pub use held::Held;
pub use icr::Ipi;
pub use io::{Delivery, IoApic, Written};
pub use local::LocalApic;
pub use local_msr::{Effect, Fault};
pub use lvt::{LocalSource, Signal};
pub use mode::DeliveryMode;
pub use redirection::RedirectionEntry;
pub use timer::Clock;
pub use vectors::Vectors256;
pub use vet::Vetted;
