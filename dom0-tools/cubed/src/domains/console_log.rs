//! A console's output in a file of bounded size, so that the next daemon has the history, too.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

/// Size at which the file moves to `NAME.old`.
const ROTATE: u64 = 256 << 10;

/// An open log. Errors are reported once and end the logging, never the console.
#[derive(Debug)]
pub struct ConsoleLog {
    path: PathBuf,
    file: Option<File>,
    len: u64,
}

impl ConsoleLog {
    /// Opens the file for appending, and gives what is in it and in the one before it.
    #[must_use]
    pub fn open(path: PathBuf) -> (Self, Vec<u8>) {
        let mut history = fs::read(old(&path)).unwrap_or_default();
        let current = fs::read(&path).unwrap_or_default();
        let len = current.len() as u64;
        history.extend(current);
        let file = File::options().append(true).create(true).open(&path);
        let file = file.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "no console log")).ok();
        (Self { path, file, len }, history)
    }

    /// Appends.
    pub fn write(&mut self, bytes: &[u8]) {
        let Some(file) = &mut self.file else { return };
        let written = file.write_all(bytes);
        self.len += bytes.len() as u64;
        let rotated = if self.len < ROTATE { written } else { written.and_then(|()| self.rotate()) };
        if let Err(error) = rotated {
            tracing::warn!(path = %self.path.display(), %error, "the console is logged no more");
            self.file = None;
        }
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        fs::rename(&self.path, old(&self.path))?;
        self.file = Some(File::options().append(true).create(true).open(&self.path)?);
        self.len = 0;
        Ok(())
    }
}

fn old(path: &std::path::Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_outlives_the_writer_and_stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("guest");
        let (mut log, history) = ConsoleLog::open(path.clone());
        assert!(history.is_empty());
        for i in 0..600u32 {
            log.write(format!("{i:1000}").as_bytes());
        }
        let (_, history) = ConsoleLog::open(path);
        assert!(history.len() <= 2 * 256 * 1024 + 2000 && history.len() > 256 * 1024, "{}", history.len());
        assert!(history.ends_with(b" 599"));
    }
}
