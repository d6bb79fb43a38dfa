//! SIGTERM and SIGINT as something to poll.

use mio::net::UnixStream;
use std::io::{Read, Result};

/// A stream that becomes readable when a signal has come.
#[derive(Debug)]
pub struct Signals {
    receiver: UnixStream,
}

impl Signals {
    /// From now on the signals end the loop instead of the process.
    ///
    /// # Errors
    /// As the system tells.
    pub fn catch() -> Result<Self> {
        let (sender, receiver) = std::os::unix::net::UnixStream::pair()?;
        for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        receiver.set_nonblocking(true)?;
        Ok(Self { receiver: UnixStream::from_std(receiver) })
    }

    /// For the poll.
    pub fn source(&mut self) -> &mut UnixStream {
        &mut self.receiver
    }

    /// True if a signal has come.
    pub fn came(&mut self) -> bool {
        let mut bytes = [0; 16];
        self.receiver.read(&mut bytes).is_ok_and(|len| len > 0)
    }
}
