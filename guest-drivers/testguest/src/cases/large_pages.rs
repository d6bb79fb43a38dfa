//! Large mappings that are taken apart and put together again under stores: the first processor gives single pages
//! of each 2 MiB to the balloon, takes them back and touches them, while the second stores into all others and
//! checks that its stores of earlier passes are there. With one processor both take turns. In the end every word is
//! compared. Options: `mib=` how much memory (default 16), `rounds=` (default 40), `cpus=1`.

use crate::boot::{command_line, secondary};
use crate::device::dma::{self, Machine};
use crate::report::Outcome;
use crate::{ensure, fail, memory, println};
use abi::platform::VIRTIO_BALLOON;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use guest_balloon::Balloon;
use virtio_drivers::transport::mmio::MmioTransport;

/// Pages of a region.
const REGION: u64 = 512;
/// Those of them that go to the balloon: at the ends and in between.
const AWAY: [u64; 3] = [0, 200, 511];
/// The word of these pages that is used.
const MARK: u64 = 7;
/// Words of each other page that passes store into, one a pass.
const STORED: u64 = 8;

static STOP: AtomicBool = AtomicBool::new(false);
static PASSES: AtomicU64 = AtomicU64::new(0);
static LOST: AtomicU64 = AtomicU64::new(0);
static FOUND: AtomicU64 = AtomicU64::new(0);

fn pages() -> u64 {
    memory::pages().min(command_line::number("mib", 16) << 8) / REGION * REGION
}

fn is_away(page: u64) -> bool {
    AWAY.contains(&(page % REGION))
}

fn value(page: u64, word: u64, pass: u64) -> u64 {
    !(pass << 32 | page << 9 | word)
}

/// The word of a page that `pass` stores into.
fn word(page: u64, pass: u64) -> u64 {
    pass % STORED * (512 / STORED) + page % (512 / STORED)
}

/// One pass over all pages that stay.
fn pass() {
    let pass = PASSES.load(Ordering::SeqCst) + 1;
    for page in (0..pages()).filter(|&page| !is_away(page)) {
        let word = word(page, pass);
        let found = memory::read(page, word);
        if found != value(page, word, pass.saturating_sub(STORED)) && LOST.fetch_add(1, Ordering::SeqCst) == 0 {
            FOUND.store(found, Ordering::SeqCst);
        }
        memory::write(page, word, value(page, word, pass));
    }
    PASSES.store(pass, Ordering::SeqCst);
}

/// What the second processor does.
fn passes() {
    while !STOP.load(Ordering::SeqCst) {
        pass();
    }
}

pub fn run() -> Outcome {
    let Some(transport) = dma::transport(VIRTIO_BALLOON) else { fail!("no balloon") };
    let mut balloon = match Balloon::new(transport) {
        Ok(balloon) => balloon,
        Err(error) => fail!("the balloon refuses the driver: {error:?}"),
    };
    ensure!(pages() > 0, "less than 2 MiB of memory");
    for page in 0..pages() {
        for word in (0..512).filter(|&word| !is_away(page) || word == MARK) {
            memory::write(page, word, value(page, word, 0));
        }
    }
    let two = command_line::number("cpus", 2) > 1 && secondary::start(passes);
    println!("{} pages, {} processors", pages(), if two { 2 } else { 1 });
    let rounds = command_line::number("rounds", 40);
    for round in 1..=rounds {
        for first in (0..pages()).step_by(REGION as usize) {
            take_apart(&mut balloon, first, round)?;
        }
        if !two {
            pass();
        }
    }
    STOP.store(true, Ordering::SeqCst);
    ensure!(!two || secondary::join(60_000_000_000), "processor 1 did not stop");
    println!("{rounds} rounds, {} passes", PASSES.load(Ordering::SeqCst));
    compare(rounds)
}

/// Gives the pages of one region away, takes them back, and stores into them: the last store completes the region.
fn take_apart(balloon: &mut Balloon<Machine, MmioTransport<'static>>, first: u64, round: u64) -> Outcome {
    let frames: heapless::Vec<u32, { AWAY.len() }> =
        AWAY.iter().filter_map(|at| memory::page(first + at)).map(|address| (address / memory::PAGE) as u32).collect();
    // SAFETY: usable pages, to which nothing refers, and which are read only after they were taken back.
    if let Err(error) = unsafe { balloon.inflate(&frames) }.and_then(|()| balloon.deflate(&frames)) {
        fail!("round {round}, pages from {first} on: {error:?}");
    }
    for page in AWAY.iter().map(|at| first + at) {
        for word in 0..512 {
            let found = memory::read(page, word);
            let old = word == MARK && found == value(page, word, round - 1);
            ensure!(found == 0 || old, "round {round}: word {word} of page {page} is {found:#x} after the balloon");
        }
        memory::write(page, MARK, value(page, MARK, round));
    }
    Ok(())
}

/// Every word of every page.
fn compare(rounds: u64) -> Outcome {
    let lost = LOST.load(Ordering::SeqCst);
    ensure!(lost == 0, "{lost} stores were lost; the first read back as {:#x}", FOUND.load(Ordering::SeqCst));
    let passes = PASSES.load(Ordering::SeqCst);
    for page in 0..pages() {
        let mut expected = [0; 512];
        if is_away(page) {
            expected[MARK as usize] = value(page, MARK, rounds);
        } else {
            for (word, place) in (0..).zip(&mut expected) {
                *place = value(page, word, 0);
            }
            for pass in passes.saturating_sub(STORED - 1).max(1)..=passes {
                let word = word(page, pass);
                expected[word as usize] = value(page, word, pass);
            }
        }
        for (word, expected) in (0..).zip(expected) {
            let found = memory::read(page, word);
            ensure!(found == expected, "word {word} of page {page} is {found:#x}, not {expected:#x}");
        }
    }
    Ok(())
}
