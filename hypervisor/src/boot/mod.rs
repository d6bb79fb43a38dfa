//! From the boot loader to the first VM entry. Runs once, on the boot CPU; everything that it
//! takes from the loader or the firmware is checked before use.
mod acpi;
mod clock;
mod entry;
mod facts;
mod information;
mod madt;
mod main;
mod options;
mod plan;
mod smp;

pub use acpi::{Acpi, IoApicInfo};
pub use facts::facts;
pub use information::{Information, RegionKind};
pub use madt::MadtPlace;
pub use options::Options;
