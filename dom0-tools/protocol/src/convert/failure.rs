//! A command that the hypervisor refused, as a client is told of it.

use crate::{ErrorCode, Failure};

impl From<abi::Error> for Failure {
    /// A refused command as a client is told of it.
    fn from(error: abi::Error) -> Self {
        use abi::Error as E;
        let (code, hint) = match error {
            E::NotFound => (ErrorCode::NoSuchDomain, "`cube list` shows the domains"),
            E::State => (ErrorCode::WrongState, "`cube show NAME` tells the domain's state"),
            E::NoMemory => {
                (ErrorCode::NoResources, "`cube doctor` tells what is free; stop a domain or lower its memory limit")
            }
            E::Full => (ErrorCode::NoResources, "stop a domain"),
            E::Invalid => (ErrorCode::Usage, "correct the argument"),
            E::Version => (ErrorCode::VersionMismatch, "boot the hypervisor and install the tools of one build"),
            E::Unsupported | E::Unknown => (ErrorCode::Unsupported, "`cube dmesg` may tell more"),
            E::BadBuffer | E::OutsideRequest | E::Again | E::Cancelled | E::Busy => {
                (ErrorCode::Failed, "this is a fault of cubed; `cube dmesg` may tell more")
            }
        };
        Self::new(code, error.text(), hint)
    }
}
