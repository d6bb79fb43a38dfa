//! What becomes of the commands' output.

use anyhow::Result;
use std::{fs::File, io::Write, path::Path};

/// Takes it as it comes.
pub trait Sink {
    /// Bytes of standard output.
    fn stdout(&mut self, bytes: &[u8]);
    /// Bytes of standard error.
    fn stderr(&mut self, bytes: &[u8]);
}

/// Keeps it, up to [`Kept::MOST`] bytes of each, and writes it to files as it comes.
#[derive(Debug)]
pub struct Kept {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    files: [File; 2],
}

impl Kept {
    /// A command that never stops writing must not take all memory.
    const MOST: usize = 64 << 20;

    /// With the files `stdout` and `stderr` in `folder`.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let files = [File::create(folder.join("stdout"))?, File::create(folder.join("stderr"))?];
        Ok(Self { stdout: Vec::new(), stderr: Vec::new(), files })
    }
}

impl Sink for Kept {
    fn stdout(&mut self, bytes: &[u8]) {
        keep(&mut self.stdout, &mut self.files[0], bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        keep(&mut self.stderr, &mut self.files[1], bytes);
    }
}

fn keep(all: &mut Vec<u8>, file: &mut File, bytes: &[u8]) {
    if all.len() + bytes.len() <= Kept::MOST {
        all.extend_from_slice(bytes);
        // The files are for people; what is checked is in memory.
        let _ = file.write_all(bytes);
    }
}
