//! Memory under swap: fills memory with a pattern, then verifies and partly rewrites it, pass after pass,
//! and prints a line of JSON for each. Options: `mib=` how much memory (default: all), `passes=` (default 3),
//! `dirty=` percent of the pages that each pass rewrites (default 50), `zero=` percent that stay zero (default 10).

use crate::boot::command_line;
use crate::report::Outcome;
use crate::{clock, ensure, memory, println};

const WORDS: u64 = 512;

fn mix(value: u64) -> u64 {
    let z = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Plan {
    dirty: u64,
    zero: u64,
}

impl Plan {
    fn is_zero(&self, page: u64) -> bool {
        mix(page) % 100 < self.zero
    }

    fn is_rewritten(&self, page: u64, pass: u64) -> bool {
        pass == 0 || mix(page << 20 | pass) % 100 < self.dirty
    }

    /// The pass in which the page was last written, seen from after `pass`.
    fn age(&self, page: u64, pass: u64) -> u64 {
        (0..=pass).rev().find(|&pass| self.is_rewritten(page, pass)).unwrap_or(0)
    }

    fn word(&self, page: u64, word: u64, written: u64) -> u64 {
        if self.is_zero(page) { 0 } else { mix(page << 32 | written << 12 | word) }
    }
}

pub fn run() -> Outcome {
    let pages = memory::pages().min(command_line::number("mib", u64::MAX >> 20) << 8);
    let plan = Plan { dirty: command_line::number("dirty", 50), zero: command_line::number("zero", 10) };
    for pass in 0..=command_line::number("passes", 3) {
        let start = clock::nanoseconds();
        let (mut checksum, mut rewritten) = (0u64, 0u64);
        for page in 0..pages {
            let written = if pass == 0 { 0 } else { plan.age(page, pass - 1) };
            for word in 0..WORDS {
                if pass > 0 {
                    let (found, expected) = (memory::read(page, word), plan.word(page, word, written));
                    ensure!(
                        found == expected,
                        "pass {pass}: word {word} of page {page} is {found:#x}, not {expected:#x}"
                    );
                    checksum = checksum.rotate_left(1) ^ found;
                }
            }
            if plan.is_rewritten(page, pass) {
                rewritten += 1;
                for word in 0..WORDS {
                    memory::write(page, word, plan.word(page, word, pass));
                }
            }
        }
        let took = clock::nanoseconds() - start;
        println!(
            "{{\"pass\":{pass},\"pages\":{pages},\"rewritten\":{rewritten},\"checksum\":\"{checksum:016x}\",\"ns\":{took}}}"
        );
    }
    Ok(())
}
