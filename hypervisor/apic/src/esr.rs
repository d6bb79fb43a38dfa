//! The error status register (SDM 11.5.3). Depends on nothing.
//!
//! Errors gather unseen; a write of 0 makes what gathered readable and starts afresh.

/// An IPI was to be sent with a vector below 16.
pub const SEND_ILLEGAL_VECTOR: u8 = 1 << 5;
/// A vector below 16 was received, from a message or from the local vector table.
pub const RECEIVE_ILLEGAL_VECTOR: u8 = 1 << 6;

/// Gathered and readable errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ErrorStatus {
    gathered: u8,
    readable: u8,
}

impl ErrorStatus {
    /// No errors.
    pub const RESET: Self = Self { gathered: 0, readable: 0 };

    /// Notes an error; true if it had not been gathered before (the error interrupt is due).
    pub const fn gather(&mut self, error: u8) -> bool {
        let new = self.gathered & error == 0;
        self.gathered |= error;
        new
    }

    /// What a read shows.
    #[must_use]
    pub const fn read(&self) -> u8 {
        self.readable
    }

    /// A write of 0.
    pub const fn latch(&mut self) {
        self.readable = self.gathered;
        self.gathered = 0;
    }
}
