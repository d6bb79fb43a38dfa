//! The command line: the case's name, then `key=value` options.

use core::ptr;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const SIZE: usize = 512;
static BYTES: [AtomicU8; SIZE] = [const { AtomicU8::new(0) }; SIZE];
static LENGTH: AtomicUsize = AtomicUsize::new(0);

/// Copies the C string at `address`, whose memory may be reused afterwards.
pub fn keep(address: u64) {
    if address == 0 {
        return;
    }
    for (n, place) in BYTES.iter().enumerate() {
        // SAFETY: the loader's C string is in RAM, mapped one to one, and is read no further than its end.
        let byte = unsafe { ptr::read_volatile((address as *const u8).add(n)) };
        if byte == 0 {
            break;
        }
        place.store(byte, Ordering::Relaxed);
        LENGTH.store(n + 1, Ordering::Relaxed);
    }
}

/// A word of the line.
pub type Word = heapless::String<64>;

/// Word `number` of the line.
pub fn word(number: usize) -> Option<Word> {
    let mut words = 0;
    let mut word = Word::new();
    for byte in BYTES.iter().take(LENGTH.load(Ordering::Relaxed)).map(|byte| byte.load(Ordering::Relaxed)) {
        match (byte, word.is_empty()) {
            (b' ', true) => {}
            (b' ', false) if words == number => return Some(word),
            (b' ', false) => {
                words += 1;
                word.clear();
            }
            _ => word.push(char::from(byte)).unwrap_or(()),
        }
    }
    (words == number && !word.is_empty()).then_some(word)
}

/// The first word: the case's name.
pub fn case() -> Word {
    word(0).unwrap_or_default()
}

/// The value of option `key`, decimal or hexadecimal with 0x; `default` if it is absent or no number.
pub fn number(key: &str, default: u64) -> u64 {
    let words = (1..64).map_while(word);
    let mut values = words.filter_map(|word| {
        let value = word.strip_prefix(key)?.strip_prefix('=')?;
        match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok(),
            None => value.parse().ok(),
        }
    });
    values.next().unwrap_or(default)
}
