//! Why a domain ended, and whose fault that was.

use core::fmt;

/// Reasons; the numbers are [`abi::domain::reason`]'s.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Reason {
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
            Reason::TripleFault => write!(f, "its processor triple-faulted"),
            Reason::Emulation => write!(f, "it used an instruction on address {detail:#x} that cannot be emulated"),
            Reason::BadAddress => write!(f, "it used address {detail:#x}, where there is neither memory nor a device"),
            Reason::BadState => write!(f, "the processor refused its state (code {detail:#x})"),
            Reason::UnknownExit => write!(f, "it caused an exit that has no handling (code {detail:#x})"),
        }
    }
}
