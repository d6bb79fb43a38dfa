//! Where bytes come from: a file, or memory.

use std::fmt::Debug;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes that can be read at any offset. The length was taken at the beginning: a file that is cut
/// later gives [`ErrorKind::UnexpectedEof`].
pub trait Source: Debug + Send + Sync {
    /// How many bytes there are.
    fn size(&self) -> u64;

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] beyond the end; errors of the file.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()>;
}

impl Source for Vec<u8> {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let bytes = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)?.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(Error::from(ErrorKind::UnexpectedEof))?);
        Ok(())
    }
}

/// A regular file, open.
#[derive(Debug)]
pub struct Opened {
    file: File,
    size: u64,
}

impl Opened {
    /// Opens a regular file.
    ///
    /// # Errors
    /// As the system tells; [`ErrorKind::InvalidInput`] if it is no regular file.
    pub fn new(path: &Path) -> Result<Self> {
        // A named pipe would block the opening itself, so look first.
        if !std::fs::metadata(path)?.is_file() {
            return Err(Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }
}

impl Source for Opened {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
