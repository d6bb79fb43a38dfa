//! The last bytes of a stream, by position since its beginning: readers keep a position each, and
//! one that falls behind misses the oldest bytes instead of holding anybody up.

use std::collections::VecDeque;

/// A bounded tail of a stream.
#[derive(Debug, Clone)]
pub struct History {
    bytes: VecDeque<u8>,
    room: usize,
    end: u64,
}

impl History {
    /// An empty stream of which `room` bytes are kept.
    #[must_use]
    pub fn new(room: usize) -> Self {
        Self { bytes: VecDeque::new(), room, end: 0 }
    }

    /// Appends.
    pub fn push(&mut self, bytes: &[u8]) {
        let skipped = bytes.len().saturating_sub(self.room);
        self.bytes.extend(bytes.iter().skip(skipped));
        let excess = self.bytes.len().saturating_sub(self.room);
        self.bytes.drain(..excess);
        self.end += bytes.len() as u64;
    }

    /// Position after the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Position of the oldest byte kept.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// At most `limit` bytes from position `from` on, or from the oldest kept; and the position after them.
    #[must_use]
    pub fn since(&self, from: u64, limit: usize) -> (Vec<u8>, u64) {
        let from = from.clamp(self.start(), self.end);
        let skip = usize::try_from(from - self.start()).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = self.bytes.iter().skip(skip).take(limit).copied().collect();
        let next = from + bytes.len() as u64;
        (bytes, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_tail_and_positions() {
        let mut history = History::new(4);
        history.push(b"abc");
        assert_eq!(history.since(0, 10), (b"abc".to_vec(), 3));
        history.push(b"defgh");
        assert_eq!((history.start(), history.end()), (4, 8));
        assert_eq!(history.since(0, 2), (b"ef".to_vec(), 6));
        assert_eq!(history.since(6, 10), (b"gh".to_vec(), 8));
        assert_eq!(history.since(99, 10), (Vec::new(), 8));
        history.push(b"0123456789");
        assert_eq!(history.since(0, 10), (b"6789".to_vec(), 18));
    }
}
