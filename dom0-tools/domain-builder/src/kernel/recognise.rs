//! Which kind of kernel a file is.

use super::{BzImage, KernelError, Pvh};
use crate::source::Source;

/// A kernel whose header was checked.
#[derive(Debug)]
pub enum Kernel {
    /// Linux bzImage.
    BzImage(BzImage),
    /// ELF with a PVH entry.
    Pvh(Pvh),
}

impl Kernel {
    /// Reads and checks the headers.
    ///
    /// # Errors
    /// Names what is wrong with the file.
    pub fn read(file: &dyn Source) -> Result<Self, KernelError> {
        let mut magic = [0; 4];
        if file.size() >= 4 {
            file.read_at(0, &mut magic)?;
        }
        if magic == elf::abi::ELFMAGIC {
            return Pvh::read(file).map(Self::Pvh);
        }
        BzImage::read(file).map(Self::BzImage)
    }

    /// Guest-physical addresses that the kernel needs: from its first byte to the end of what it
    /// uses before it knows the memory map.
    #[must_use]
    pub fn window(&self) -> std::ops::Range<u64> {
        match self {
            Self::BzImage(kernel) => kernel.window.clone(),
            Self::Pvh(kernel) => kernel.window.clone(),
        }
    }

    /// The highest address (exclusive) where the initial file system may end.
    #[must_use]
    pub const fn initrd_end(&self) -> u64 {
        match self {
            Self::BzImage(kernel) => kernel.initrd_end,
            Self::Pvh(_) => abi::platform::LOW_RAM_END,
        }
    }

    /// Longest command line in bytes, without its zero.
    #[must_use]
    pub const fn cmdline_max(&self) -> u64 {
        match self {
            Self::BzImage(kernel) => kernel.cmdline_max,
            Self::Pvh(_) => crate::layout::CMDLINE_MAX - 1,
        }
    }
}
