//! The time of day from the real-time clock (MC146818), once, before dom0 owns it.

use crate::cpu::port;

/// Seconds since 1970, or 0 if the clock's values make no sense.
pub fn read() -> u64 {
    let first = sample();
    let second = sample();
    let [second_, minute, hour, day, month, year] = if first == second { second } else { sample() };
    let plausible = (1..=31).contains(&day) && (1..=12).contains(&month) && hour < 24 && minute < 60 && second_ < 62;
    if !plausible {
        return 0;
    }
    let days = days_since_1970(2000 + year, month, day);
    ((days * 24 + hour) * 60 + minute) * 60 + second_
}

/// Second, minute, hour, day, month, year of the century, after any update in progress.
fn sample() -> [u64; 6] {
    for _ in 0..100_000 {
        if register(0x0a) >> 7 & 1 == 0 {
            break;
        }
    }
    let binary = register(0x0b) >> 2 & 1 == 1;
    let decode = |value: u8| u64::from(if binary { value } else { (value >> 4) * 10 + (value & 15) });
    let hours = register(4);
    let afternoon = register(0x0b) >> 1 & 1 == 0 && hours >> 7 & 1 == 1;
    let hour = decode(hours & 0x7f) % if afternoon { 12 } else { 24 } + if afternoon { 12 } else { 0 };
    [decode(register(0)), decode(register(2)), hour, decode(register(7)), decode(register(8)), decode(register(9))]
}

fn register(index: u8) -> u8 {
    port::write8(0x70, index);
    port::read8(0x71)
}

/// Days from 1970-01-01 in the Gregorian calendar, with years that begin in March.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468
}
