//! Bytes that wait to be written to a client.

use std::collections::VecDeque;
use std::io::{ErrorKind, Result, Write};

/// Bytes in the queue beyond which a client's stream (console, log) is not read any further.
pub const PLENTY: usize = 64 << 10;

/// A queue of bytes.
#[derive(Debug, Default)]
pub struct Outgoing {
    bytes: VecDeque<u8>,
}

impl Outgoing {
    /// Appends.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// True if nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Room until [`PLENTY`].
    #[must_use]
    pub fn room(&self) -> usize {
        PLENTY.saturating_sub(self.bytes.len())
    }

    /// Writes as much as goes without waiting. True if anything went.
    ///
    /// # Errors
    /// As the stream; the client is gone.
    pub fn flush(&mut self, to: &mut impl Write) -> Result<bool> {
        let mut worked = false;
        while !self.bytes.is_empty() {
            let (front, _) = self.bytes.as_slices();
            match to.write(front) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.bytes.drain(..written);
                    worked = true;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(worked)
    }
}
