//! One daemon at a time: a locked file that names the holder.

use super::AttachError;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// The lock, held until dropped or until the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock and writes our process identifier into the file.
    ///
    /// # Errors
    /// [`AttachError::Locked`] with the holder's identifier; [`AttachError::File`].
    pub fn take(path: &Path) -> Result<Self, AttachError> {
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(AttachError::file("opening", path))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut pid = String::new();
            let _ = file.read_to_string(&mut pid);
            let pid = pid.trim();
            return Err(AttachError::Locked { pid: if pid.is_empty() { "?" } else { pid }.to_owned() });
        }
        file.set_len(0).map_err(AttachError::file("writing", path))?;
        writeln!(file, "{}", std::process::id()).map_err(AttachError::file("writing", path))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_second_is_refused_and_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path).unwrap();
        let refusal = Lock::take(&path).unwrap_err().to_string();
        assert!(refusal.contains(&std::process::id().to_string()), "{refusal}");
        drop(first);
        Lock::take(&path).unwrap();
    }
}
