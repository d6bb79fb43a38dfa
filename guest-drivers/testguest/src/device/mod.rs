//! Devices of the virtual platform, from the guest's side.

pub mod console;
pub mod dma;
pub mod io_apic;
pub mod virtio;
