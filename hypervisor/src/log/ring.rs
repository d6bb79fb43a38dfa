//! The log ring: the last [`SIZE`] bytes of text.

use super::{Level, serial};
use crate::cpu::{lock::Lock, time};
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicU8, Ordering};

/// Bytes kept.
const SIZE: usize = 128 << 10;

struct Ring {
    bytes: [u8; SIZE],
    /// Bytes ever written.
    written: u64,
}

static RING: Lock<Ring> = Lock::new(crate::cpu::lock::Level::Log, Ring { bytes: [0; SIZE], written: 0 });
static LEVEL: AtomicU8 = AtomicU8::new(Level::Debug as u8);

impl Write for Ring {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            self.bytes[self.written as usize % SIZE] = byte;
            self.written += 1;
        }
        serial::send(text);
        Ok(())
    }
}

/// Sets the level above which messages are dropped.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Writes one line: time since start, CPU, level, message.
pub fn write(level: Level, message: fmt::Arguments<'_>) {
    if level as u8 > LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let micros = time::since_start_ns() / 1000;
    let cpu = crate::cpu::index();
    let mut ring = RING.lock();
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let _ = writeln!(ring, "[{seconds:4}.{rest:06}] {cpu} {} {message}", level.letter());
}

/// Copies from byte number `cursor` (or the oldest kept) into `out`: the number of the first byte
/// copied, and how many were.
pub fn read(cursor: u64, out: &mut [u8]) -> (u64, usize) {
    let ring = RING.lock();
    let oldest = ring.written.saturating_sub(SIZE as u64);
    let from = cursor.clamp(oldest, ring.written);
    let count = usize::try_from(ring.written - from).unwrap_or(SIZE).min(out.len());
    for (offset, slot) in out[..count].iter_mut().enumerate() {
        *slot = ring.bytes[(from as usize + offset) % SIZE];
    }
    (from, count)
}
