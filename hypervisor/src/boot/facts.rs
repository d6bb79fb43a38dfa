//! What was found at boot and is told to dom0 later.

use heapless::String;

/// See [`abi::host::HostInfo`]. Frames are 4 KiB.
pub struct Facts {
    /// Frames of RAM that the firmware reported.
    pub ram: u64,
    /// Frames of dom0.
    pub dom0: u64,
    /// The hypervisor's command line.
    pub command_line: String<1024>,
}

static FACTS: spin::Once<Facts> = spin::Once::new();

/// Told once.
pub fn tell(facts: Facts) {
    FACTS.call_once(|| facts);
}

/// `None` before dom0 was built.
pub fn facts() -> Option<&'static Facts> {
    FACTS.get()
}
