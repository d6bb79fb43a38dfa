//! Why a domain ended, and whose fault that was.

use core::fmt;

/// Reasons; the numbers are [`abi::domain::reason`]'s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
    /// It powered itself off.
    PowerOff = abi::domain::reason::POWER_OFF,
    /// It asked for a reset.
    Reset = abi::domain::reason::RESET,
    /// dom0 killed it.
    Killed = abi::domain::reason::KILLED,
    /// A virtqueue broke the specification; detail: slot << 32 | queue.
    BadVirtqueue = abi::domain::reason::BAD_VIRTQUEUE,
    /// dom0's store could not give a page back; detail: the page.
    StoreError = abi::domain::reason::STORE_ERROR,
    /// No frame was free; detail: the page.
    OutOfMemory = abi::domain::reason::OUT_OF_MEMORY,
    /// A test guest's result; detail: the code.
    GuestExit = abi::domain::reason::GUEST_EXIT,
    /// A triple fault.
    TripleFault = abi::domain::reason::TRIPLE_FAULT,
    /// An instruction on device memory that cannot be emulated; detail: the address.
    Emulation = abi::domain::reason::EMULATION,
    /// An access where there is neither memory nor a device; detail: the address.
    BadAddress = abi::domain::reason::BAD_ADDRESS,
    /// The processor refused the state; detail: its code.
    BadState = abi::domain::reason::BAD_STATE,
    /// An exit without handling; detail: its code.
    UnknownExit = abi::domain::reason::UNKNOWN_EXIT,
}

/// A reason with its detail.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Why.
    pub reason: Reason,
    /// As told at the reason.
    pub detail: u64,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = self.detail;
        match self.reason {
            Reason::PowerOff => f.write_str("it powered itself off"),
            Reason::Reset => f.write_str("it asked for a reset"),
            Reason::Killed => f.write_str("dom0 killed it"),
            Reason::BadVirtqueue => {
                write!(f, "virtio slot {} queue {} broke the specification", detail >> 32, detail & 0xffff_ffff)
            }
            Reason::StoreError => write!(f, "the store could not give page {detail:#x} back"),
            Reason::OutOfMemory => write!(f, "no frame was free for page {detail:#x}"),
            Reason::GuestExit => write!(f, "it reported exit code {detail}"),
            Reason::TripleFault => write!(f, "its processor triple-faulted"),
            Reason::Emulation => write!(f, "it used an instruction on address {detail:#x} that cannot be emulated"),
            Reason::BadAddress => write!(f, "it used address {detail:#x}, where there is neither memory nor a device"),
            Reason::BadState => write!(f, "the processor refused its state (code {detail:#x})"),
            Reason::UnknownExit => write!(f, "it caused an exit that has no handling (code {detail:#x})"),
        }
    }
}
