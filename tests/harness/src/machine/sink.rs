//! What becomes of the commands' output.

/// Takes it as it comes.
pub trait Sink {
    /// Bytes of standard output.
    fn stdout(&mut self, bytes: &[u8]);
    /// Bytes of standard error.
    fn stderr(&mut self, bytes: &[u8]);
}

/// Keeps it, up to [`Kept::MOST`] bytes of each.
#[derive(Debug, Default)]
pub struct Kept {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl Kept {
    /// A command that never stops writing must not take all memory.
    const MOST: usize = 64 << 20;
}

impl Sink for Kept {
    fn stdout(&mut self, bytes: &[u8]) {
        keep(&mut self.stdout, bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        keep(&mut self.stderr, bytes);
    }
}

fn keep(all: &mut Vec<u8>, bytes: &[u8]) {
    if all.len() + bytes.len() <= Kept::MOST {
        all.extend_from_slice(bytes);
    }
}
