//! Output as lines, given to a watcher as they come.

use crate::machine::Sink;

/// Cuts standard output into lines; keeps the end of standard error for messages.
pub struct Lines<'a> {
    pending: Vec<u8>,
    watcher: &'a mut dyn FnMut(&str),
    /// The last part of standard error.
    pub errors: Vec<u8>,
}

/// How much of standard error is kept.
const ERRORS: usize = 4096;

impl<'a> Lines<'a> {
    /// Gives each line to `watcher`.
    pub fn new(watcher: &'a mut dyn FnMut(&str)) -> Self {
        Self { pending: Vec::new(), watcher, errors: Vec::new() }
    }
}

impl Sink for Lines<'_> {
    fn stdout(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        while let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.pending.drain(..=end).collect();
            (self.watcher)(String::from_utf8_lossy(&line).trim_end());
        }
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.errors.extend_from_slice(bytes);
        let extra = self.errors.len().saturating_sub(ERRORS);
        self.errors.drain(..extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole() {
        let mut seen = Vec::new();
        let mut watcher = |line: &str| seen.push(line.to_owned());
        let mut lines = Lines::new(&mut watcher);
        lines.stdout(b"one\r\ntw");
        lines.stdout(b"o\n\nrest");
        assert_eq!(seen, ["one", "two", ""]);
    }
}
