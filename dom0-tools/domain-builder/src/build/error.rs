//! Why a domain cannot be built.

use crate::kernel::KernelError;
use protocol::{ErrorCode, Failure};
use std::path::PathBuf;

/// Why a domain cannot be built, and which key of its file is to blame.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The kernel.
    #[error("{path}: {error}", path = path.display())]
    Kernel {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        error: KernelError,
    },
    /// The initial file system.
    #[error("{path}: {message}", path = path.display())]
    Initrd {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The command line is longer than the kernel takes.
    #[error("has {len} bytes; this kernel takes {max}")]
    Cmdline {
        /// Its bytes.
        len: u64,
        /// What the kernel takes.
        max: u64,
    },
    /// Kernel and initial file system do not fit.
    #[error("is too little: kernel and initrd need at least {} MiB before the first process runs", .needed.div_ceil(1 << 20))]
    Memory {
        /// Bytes that are needed.
        needed: u64,
    },
    /// Two parts of the image want the same address: a kernel that wants to be where our tables are.
    #[error("{one} and {other} overlap at {at:#x}")]
    Overlap {
        /// What was there.
        one: &'static str,
        /// What came.
        other: &'static str,
        /// Where.
        at: u64,
    },
    /// A file changed or failed after it had been checked.
    #[error("{what} cannot be read: {error}")]
    Read {
        /// Which part of the image.
        what: &'static str,
        /// As the system tells.
        error: std::io::Error,
    },
}

impl BuildError {
    /// The key of the domain file that is to blame.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Kernel { .. } | Self::Overlap { .. } | Self::Read { .. } => "kernel",
            Self::Initrd { .. } => "initrd",
            Self::Cmdline { .. } => "cmdline",
            Self::Memory { .. } => "memory",
        }
    }

    /// What to do.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Kernel { error, .. } => error.hint().to_owned(),
            Self::Initrd { .. } => {
                "give the path of an initial file system (as /boot/initrd.img-*), or leave the key out".to_owned()
            }
            Self::Cmdline { max, .. } => format!("shorten it to {max} bytes"),
            Self::Memory { needed } => {
                format!("set it to \"{}M\" or more", (needed.div_ceil(1 << 20) + 16).next_multiple_of(16))
            }
            Self::Overlap { .. } => "link the kernel to an address of 1 MiB or more".to_owned(),
            Self::Read { .. } => {
                "do not change a kernel or initrd while a domain is being created; try again".to_owned()
            }
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        let code = if matches!(error, BuildError::Read { .. }) { ErrorCode::Failed } else { ErrorCode::BadDomainFile };
        Self::new(code, format!("{}: {error}", error.key()), error.hint())
    }
}
