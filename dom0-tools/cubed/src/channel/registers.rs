//! BAR 0 of the function: 32-bit registers, emulated by the hypervisor.

use super::AttachError;
use super::mapping::Mapping;
use abi::channel::{BAR_SIZE, reg};
use std::path::Path;
use std::sync::atomic::Ordering;

/// The mapped registers. Relaxed atomic 32-bit accesses compile to the plain aligned moves that
/// the hypervisor decodes; the ring code fences where order against memory matters.
#[derive(Debug)]
pub struct Registers {
    bar: Mapping,
}

impl Registers {
    /// Maps `resource0` of the function.
    ///
    /// # Errors
    /// [`AttachError::File`].
    pub fn map(function: &Path) -> Result<Self, AttachError> {
        let path = function.join("resource0");
        let file =
            std::fs::File::options().read(true).write(true).open(&path).map_err(AttachError::file("opening", &path))?;
        let bar = Mapping::new(&file, 0, BAR_SIZE as usize).map_err(AttachError::file("mapping", &path))?;
        Ok(Self { bar })
    }

    /// Registers over other memory, for tests.
    #[must_use]
    pub fn over(bar: Mapping) -> Self {
        Self { bar }
    }

    /// Reads a register of [`reg`].
    #[must_use]
    pub fn read(&self, register: u32) -> u32 {
        self.bar.load(register as usize, Ordering::Relaxed)
    }

    /// Writes a register of [`reg`]. Everything stored to memory before is visible to the
    /// hypervisor when it handles the write.
    pub fn write(&self, register: u32, value: u32) {
        Mapping::fence();
        self.bar.store(register as usize, value, Ordering::Relaxed);
        Mapping::fence();
    }

    /// Writes a 64-bit value as its two halves.
    pub fn write_pair(&self, low: u32, high: u32, value: u64) {
        self.write(low, (value & 0xffff_ffff) as u32);
        self.write(high, (value >> 32) as u32);
    }

    /// The error register as a result.
    ///
    /// # Errors
    /// What the hypervisor said to the last attach.
    pub fn attach_result(&self) -> Result<(), abi::Error> {
        match i64::from(self.read(reg::ERROR).cast_signed()) {
            0 => Ok(()),
            code => Err(abi::Error::from_code(code)),
        }
    }
}
