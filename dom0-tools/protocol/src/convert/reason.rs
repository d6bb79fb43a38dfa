//! Why a domain ended, as a name and as a sentence.

use crate::Reason;
use abi::domain::reason;

impl Reason {
    /// From [`abi::domain::reason`].
    #[must_use]
    pub const fn from_abi(code: u32) -> Self {
        match code {
            reason::NONE => Self::None,
            reason::POWER_OFF => Self::PowerOff,
            reason::RESET => Self::Reset,
            reason::KILLED => Self::Killed,
            reason::TRIPLE_FAULT => Self::TripleFault,
            reason::EMULATION => Self::Emulation,
            reason::BAD_ADDRESS => Self::BadAddress,
            reason::BAD_STATE => Self::BadState,
            reason::UNKNOWN_EXIT => Self::UnknownExit,
            reason::BAD_VIRTQUEUE => Self::BadVirtqueue,
            reason::STORE_ERROR => Self::StoreError,
            reason::OUT_OF_MEMORY => Self::OutOfMemory,
            reason::GUEST_EXIT => Self::GuestExit,
            _ => Self::Unknown,
        }
    }

    /// True if the domain ended by a fault: not by power-off, reset, being killed or an exit code of 0.
    #[must_use]
    pub const fn is_fault(self, detail: u64) -> bool {
        match self {
            Self::None | Self::PowerOff | Self::Reset | Self::Killed => false,
            Self::GuestExit => detail != 0,
            _ => true,
        }
    }

    /// The reason and its detail as a sentence; empty for `None`.
    #[must_use]
    pub fn text(self, detail: u64) -> String {
        match self {
            Self::None => String::new(),
            Self::PowerOff => "the guest powered itself off".to_owned(),
            Self::Reset => "the guest asked for a reset".to_owned(),
            Self::Killed => "killed".to_owned(),
            Self::TripleFault => "triple fault: the guest's own exception handling failed".to_owned(),
            Self::Emulation => {
                format!("an instruction that cannot be emulated accessed the device address {detail:#x}")
            }
            Self::BadAddress => {
                format!("access to guest-physical address {detail:#x}, where there is neither memory nor a device")
            }
            Self::BadState => format!("the processor refused the guest's state (code {detail:#x})"),
            Self::UnknownExit => format!("an exit that the hypervisor does not handle (code {detail:#x})"),
            Self::BadVirtqueue => {
                format!(
                    "queue {} of the device in slot {} broke the virtio specification",
                    detail & 0xffff_ffff,
                    detail >> 32
                )
            }
            Self::StoreError => format!("the swap store could not give page {detail:#x} back"),
            Self::OutOfMemory => format!("no memory could be found for page {detail:#x}"),
            Self::GuestExit => format!("the guest ended with exit code {detail}"),
            Self::Unknown => format!("a reason that this version does not know (detail {detail:#x})"),
        }
    }
}
