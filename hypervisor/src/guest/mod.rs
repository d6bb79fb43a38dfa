//! Guests: their memory, their virtual machine, their life.
//!
//! Lock order inside a guest: devices, memory, IO-APIC, local APICs.
mod balloon;
mod balloon_target;
mod build;
mod completion;
mod devices;
mod info;
mod io_pages;
mod large;
mod list;
mod memory;
mod notices;
mod page_in;
mod port;
mod promise;
mod reclaim;
mod requests;
mod slot;
mod teardown;
mod uart;
mod wake;

pub use balloon_target::set_target;
pub use build::{add_device, create, load, pause, set_boot_state, start};
pub use completion::{complete, copy};
pub use devices::{bring_in, is_device, nested_fault};
pub use info::info;
pub use list::{MAX, count, find, identifiers};
pub use memory::GuestMemory;
pub use notices::{domain_ended, hang_up_all, press_power_button, uart_input};
pub use port::{port, string_port};
pub use promise::Promise;
pub use reclaim::reclaim;
pub use requests::{end_of_interrupt, go_on, interrupt, pump_all, repost_all};
pub use slot::Slots;
pub use teardown::{destroy, is_dying};
pub use wake::{page_came, room_came};

use crate::cpu::lock::Lock;
use apic::io::IoApic;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

/// What a guest has that dom0 has not.
pub struct Guest {
    /// Its part of the heap.
    pub promise: Promise,
    /// Name, zero padded.
    pub name: [u8; 64],
    /// vCPUs that it will have.
    pub vcpus: u32,
    /// [`abi::domain::state`].
    pub state: AtomicU32,
    /// [`abi::domain::DomainFlags`].
    pub flags: AtomicU64,
    /// Memory, page states, nested table.
    pub memory: Lock<GuestMemory>,
    /// virtio devices, the 16550, power events.
    pub devices: Lock<Slots>,
    /// The IO-APIC.
    pub io_apic: Lock<IoApic<24>>,
    /// How vCPU 0 begins; set while building.
    pub boot: Lock<Option<abi::domain::BootState>>,
    /// The end must still be told to dom0.
    pub end_untold: AtomicBool,
    /// Something could not be posted and waits for room.
    pub stalled: AtomicBool,
    /// The balloon has more to do than one turn may take.
    pub unfinished: AtomicBool,
    /// Demand-zero faults.
    pub demand_zero: AtomicU64,
}
