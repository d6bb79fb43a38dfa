//! What can be wrong with a kernel.

/// Why a file cannot be booted.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The file could not be read.
    #[error("cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// Neither a bzImage nor an ELF file.
    #[error("is not a kernel: neither a bzImage nor an ELF file")]
    NotAKernel,
    /// The file is shorter than its header says.
    #[error("is cut: its header tells of {needed} bytes, the file has {size}")]
    Cut {
        /// Bytes that the header tells of.
        needed: u64,
        /// Bytes that the file has.
        size: u64,
    },
    /// A field has a value that cannot be.
    #[error("is corrupt: {field} is {value:#x}, but {rule}")]
    Field {
        /// The field's name in its specification.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What must be.
        rule: &'static str,
    },
    /// A proper kernel of a kind that cannot be booted.
    #[error("cannot be booted: {0}")]
    Unsupported(&'static str),
}

impl KernelError {
    /// What to do.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Read(_) => "give the path of a kernel that exists and can be read",
            Self::NotAKernel => "give a bzImage (as /boot/vmlinuz-*) or an ELF kernel with a PVH note",
            Self::Cut { .. } | Self::Field { .. } => "copy or install the kernel again",
            Self::Unsupported(_) => "give a 64-bit Linux bzImage of 3.8 or later, or an ELF kernel with a PVH note",
        }
    }
}

/// Checks one field.
pub(super) fn require(holds: bool, field: &'static str, value: u64, rule: &'static str) -> Result<(), KernelError> {
    if holds { Ok(()) } else { Err(KernelError::Field { field, value, rule }) }
}
