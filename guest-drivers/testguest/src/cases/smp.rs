//! Two processors: start (twice), interrupts both ways, waking from HLT, atomic counters, one time.

use crate::boot::secondary;
use crate::cpu::{self, apic, interrupts, tsc};
use crate::report::Outcome;
use crate::{clock, ensure};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const PING: u8 = 0x70;
const PONG: u8 = 0x71;
const ROUNDS: u64 = 300;
const COUNTS: u64 = 500_000;

static STOP: AtomicBool = AtomicBool::new(false);
static COUNTER: AtomicU64 = AtomicU64::new(0);
static TIME: AtomicU64 = AtomicU64::new(0);
static BACKWARDS: AtomicU64 = AtomicU64::new(0);

pub fn run() -> Outcome {
    ensure!(cpu::number() == 0, "the boot processor has number {}", cpu::number());
    interrupts::handle(PING, || apic::send(0, apic::FIXED | u32::from(PONG)));
    ensure!(secondary::start(answer), "processor 1 did not start");
    pings()?;
    STOP.store(true, Ordering::SeqCst);
    apic::send(1, apic::FIXED | u32::from(PING));
    ensure!(secondary::join(5_000_000_000), "processor 1 did not stop");
    ensure!(secondary::start(count), "processor 1 did not start a second time");
    count();
    ensure!(secondary::join(60_000_000_000), "processor 1 did not finish counting");
    let counted = COUNTER.load(Ordering::SeqCst);
    ensure!(counted == 2 * COUNTS, "two processors counted {counted}, not {}", 2 * COUNTS);
    let backwards = BACKWARDS.load(Ordering::SeqCst);
    ensure!(backwards == 0, "time went backwards between processors {backwards} times");
    Ok(())
}

/// Processor 1: sleeps and answers.
fn answer() {
    while !STOP.load(Ordering::SeqCst) {
        cpu::sleep();
    }
}

fn pings() -> Outcome {
    for n in 0..ROUNDS {
        let before = interrupts::count(PONG);
        apic::send(1, apic::FIXED | u32::from(PING));
        // Every other time this processor sleeps too.
        if n % 2 == 0 {
            while interrupts::count(PONG) == before {
                cpu::sleep();
            }
        } else {
            cpu::enable_interrupts();
            let came = clock::wait_until(2_000_000_000, || interrupts::count(PONG) > before);
            cpu::disable_interrupts();
            ensure!(came, "interrupt {n} was not answered");
        }
    }
    Ok(())
}

/// Both processors at once.
fn count() {
    for n in 0..COUNTS {
        COUNTER.fetch_add(1, Ordering::SeqCst);
        if n % 64 == 0 {
            let seen = TIME.load(Ordering::SeqCst);
            let now = tsc();
            if now < seen {
                BACKWARDS.fetch_add(1, Ordering::SeqCst);
            }
            TIME.fetch_max(now, Ordering::SeqCst);
        }
    }
}
