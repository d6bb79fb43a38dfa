//! Stores that race with the splitting and merging of large mappings: two processors own alternate words
//! of the same pages and check, before each store, that their last one is there. What splits and merges
//! (a limit, swapping, the policy) is up to dom0 meanwhile.
//! Options: `mib=` how much memory (default 32), `passes=` (default 30), `cpus=1`.

use crate::boot::{command_line, secondary};
use crate::report::Outcome;
use crate::{ensure, memory, println};
use core::sync::atomic::{AtomicU64, Ordering};

static LOST: AtomicU64 = AtomicU64::new(0);
static FOUND: AtomicU64 = AtomicU64::new(0);
static DONE: AtomicU64 = AtomicU64::new(0);
/// Words of a page that each processor owns.
const WORDS: u64 = 16;

fn pages() -> u64 {
    memory::pages().min(command_line::number("mib", 32) << 8)
}

fn value(page: u64, word: u64, pass: u64) -> u64 {
    if pass == 0 { 0 } else { pass << 48 | word << 40 | page }
}

/// All passes of one processor; the two go in opposite directions.
fn race(cpu: u64) {
    let pages = pages();
    for pass in 1..=command_line::number("passes", 30) {
        for turn in 0..pages {
            let page = if cpu == 0 { turn } else { pages - 1 - turn };
            for n in 0..WORDS {
                // Spread over the page; neighbouring words belong to different processors.
                let word = n * (512 / WORDS) + cpu;
                let found = memory::read(page, word);
                if found != value(page, word, pass - 1) && LOST.fetch_add(1, Ordering::SeqCst) == 0 {
                    FOUND.store(found, Ordering::SeqCst);
                }
                memory::write(page, word, value(page, word, pass));
            }
        }
    }
    DONE.fetch_add(1, Ordering::SeqCst);
}

pub fn run() -> Outcome {
    let two = command_line::number("cpus", 2) > 1 && secondary::start(|| race(1));
    let cpus = if two { 2 } else { 1 };
    println!("{} pages, {cpus} processors", pages());
    race(0);
    while DONE.load(Ordering::SeqCst) < cpus {
        core::hint::spin_loop();
    }
    let lost = LOST.load(Ordering::SeqCst);
    ensure!(lost == 0, "{lost} stores were lost; the first read back as {:#x}", FOUND.load(Ordering::SeqCst));
    Ok(())
}
