//! The few bits of PCI configuration space that belong to the channel (PCI 3.0, section 6.2.2).

use super::AttachError;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const COMMAND: u64 = 4;
const MEMORY: u16 = 1 << 1;
const BUS_MASTER: u16 = 1 << 2;
const INTERRUPT_DISABLE: u16 = 1 << 10;

/// The command register of the function.
#[derive(Debug)]
pub struct ConfigSpace {
    file: File,
    path: PathBuf,
    /// What was written last: each access costs a visit to the hypervisor.
    command: u16,
}

impl ConfigSpace {
    /// Opens the configuration space of the function.
    ///
    /// # Errors
    /// [`AttachError::File`].
    pub fn open(function: &Path) -> Result<Self, AttachError> {
        let path = function.join("config");
        let file = File::options().read(true).write(true).open(&path).map_err(AttachError::file("opening", &path))?;
        let mut bytes = [0; 2];
        file.read_exact_at(&mut bytes, COMMAND).map_err(AttachError::file("reading", &path))?;
        let command = (u16::from_le_bytes(bytes) | MEMORY | BUS_MASTER) & !INTERRUPT_DISABLE;
        Ok(Self { file, path, command })
    }

    /// Turns on memory decoding, bus mastering (without which the hypervisor does not attach)
    /// and INTx. uio_pci_generic masks INTx at each interrupt; this lets it through again.
    ///
    /// # Errors
    /// [`AttachError::File`].
    pub fn enable(&self) -> Result<(), AttachError> {
        self.file.write_all_at(&self.command.to_le_bytes(), COMMAND).map_err(AttachError::file("writing", &self.path))
    }
}
