//! The service channel: a PCI function that only dom0 sees, and two rings in dom0's memory.
//!
//! dom0 maps huge pages (a hugetlbfs file, so that they outlive a killed daemon), enables bus
//! mastering on the function, writes the address of the channel to the registers and attaches.
//! Clearing bus mastering (which the kernel does when the last user closes the uio device)
//! detaches: the hypervisor touches the rings no more.
//!
//! *Commands* (dom0 to hypervisor): dom0 fills entries, advances `tail`, writes the doorbell. The
//! hypervisor works them off in order, writes each `result` in place and advances `head` before
//! the doorbell's store retires; if `head != tail` afterwards, ring again (work a doorbell is bounded).
//!
//! *Events* (hypervisor to dom0): the hypervisor fills entries and advances `tail`; dom0 advances
//! `head` when it has taken an entry *and the entry's detail area*. One interrupt stands for any
//! number of events: it is raised when the event ring goes from empty to non-empty (as seen
//! through `head`), and stays asserted until [`reg::INTERRUPT`] is written.
//!
//! After an attach every live object (requests, page-ins, stopped domains) is posted again, oldest first,
//! so a restarted daemon goes on where the last one was killed. Page-outs are taken back: their pages are resident again.

/// PCI vendor identifier of the function (not an assigned one).
pub const PCI_VENDOR: u16 = 0x4843;
/// PCI device identifier of the function.
pub const PCI_DEVICE: u16 = 0x0001;
/// PCI class code, subclass, interface: unassigned.
pub const PCI_CLASS: u32 = 0x00ff_0000;
/// Size of BAR 0 (memory, 32 bit), in bytes.
pub const BAR_SIZE: u32 = 4096;

/// Register offsets in BAR 0. All are 32 bits wide and accessed with aligned 32-bit loads and stores.
pub mod reg {
    /// Read: [`super::MAGIC`].
    pub const MAGIC: u32 = 0x00;
    /// Read: the hypervisor's [`crate::VERSION`].
    pub const VERSION: u32 = 0x04;
    /// Read: 1 if a daemon is attached, else 0.
    pub const STATUS: u32 = 0x08;
    /// Read: result of the last attach, 0 or a (negative) [`crate::Error`] code as i32.
    pub const ERROR: u32 = 0x0c;
    /// Write: low half of the physical address of the channel area (2 MiB aligned).
    pub const CHANNEL_LOW: u32 = 0x10;
    /// Write: high half of the physical address of the channel area.
    pub const CHANNEL_HIGH: u32 = 0x14;
    /// Write: low half of the physical address of the detail area (2 MiB aligned).
    pub const DETAIL_LOW: u32 = 0x18;
    /// Write: high half of the physical address of the detail area.
    pub const DETAIL_HIGH: u32 = 0x1c;
    /// Write: the global system interrupt (IO-APIC input) on which dom0 expects INTx.
    pub const GSI: u32 = 0x20;
    /// Write: the writer's [`crate::VERSION`]: attach. Then read [`ERROR`].
    pub const ATTACH: u32 = 0x24;
    /// Write: any value: detach.
    pub const DETACH: u32 = 0x28;
    /// Write: any value: work off the command ring.
    pub const DOORBELL: u32 = 0x2c;
    /// Read: 1 if the interrupt is asserted. Write: any value: deassert.
    pub const INTERRUPT: u32 = 0x30;
}

/// Value of [`reg::MAGIC`]: "HYPC".
pub const MAGIC: u32 = 0x4350_5948;

/// Size and alignment of the channel area and of the detail area: one huge page each.
pub const AREA_SIZE: u64 = 2 << 20;

/// Entries of the command ring; a power of two.
pub const COMMANDS: u32 = 1024;
/// Entries of the event ring; a power of two.
pub const EVENTS: u32 = 256;
/// Bytes of detail per event entry: entry `i` owns `detail[i * DETAIL_SIZE ..][..DETAIL_SIZE]`.
pub const DETAIL_SIZE: u32 = 8192;

/// Offsets in the channel area. Heads and tails are free-running u32, each in its own cache line.
pub mod layout {
    /// Command ring: written by the hypervisor.
    pub const COMMAND_HEAD: u64 = 0x000;
    /// Command ring: written by dom0.
    pub const COMMAND_TAIL: u64 = 0x040;
    /// Event ring: written by dom0.
    pub const EVENT_HEAD: u64 = 0x080;
    /// Event ring: written by the hypervisor.
    pub const EVENT_TAIL: u64 = 0x0c0;
    /// [`super::COMMANDS`] entries of [`crate::command::Command`], 64 bytes each.
    pub const COMMANDS: u64 = 0x1_0000;
    /// [`super::EVENTS`] entries of [`crate::event::Event`], 64 bytes each.
    pub const EVENTS: u64 = 0x3_0000;
}

const _: () = assert!(EVENTS as u64 * DETAIL_SIZE as u64 == AREA_SIZE);
const _: () = assert!(layout::COMMANDS + COMMANDS as u64 * 64 <= layout::EVENTS);
const _: () = assert!(layout::EVENTS + EVENTS as u64 * 64 <= AREA_SIZE);
