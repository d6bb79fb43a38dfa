//! HLT and the APIC timer: TSC deadline, one-shot, periodic. Not early, and not lost.

use crate::cpu::apic::{self, reg};
use crate::cpu::{cpuid, interrupts, sleep, tsc, write_msr};
use crate::report::Outcome;
use crate::{clock, ensure, println};

const VECTOR: u8 = 0x40;
const TSC_DEADLINE: u32 = 0x6e0;
const MASKED: u32 = 1 << 16;
const PERIODIC: u32 = 1 << 17;
const DEADLINE: u32 = 2 << 17;
/// Divide by 1.
const BY_ONE: u32 = 0xb;

pub fn run() -> Outcome {
    if cpuid(1, 0)[2] & 1 << 24 == 0 {
        println!("no TSC deadline timer here: not tried");
    } else {
        deadline()?;
    }
    let rate = rate();
    println!("the APIC timer counts {rate} a millisecond");
    ensure!(rate > 0, "the APIC timer does not count");
    one_shot(rate)?;
    periodic(rate)?;
    masked(rate)
}

/// Sleeps until the timer's vector has arrived `more` times since `before`.
fn sleep_until(before: u64, more: u64) {
    while interrupts::count(VECTOR) - before < more {
        sleep();
    }
}

fn deadline() -> Outcome {
    apic::write(reg::TIMER, DEADLINE | u32::from(VECTOR));
    for milliseconds in [1, 5, 20] {
        let before = interrupts::count(VECTOR);
        let deadline = tsc() + clock::hertz() / 1000 * milliseconds;
        write_msr(TSC_DEADLINE, deadline);
        sleep_until(before, 1);
        let now = tsc();
        ensure!(now >= deadline, "{} ticks before the deadline", deadline - now);
        let late = (now - deadline) / (clock::hertz() / 1000);
        ensure!(late < 1000, "{late} ms after a deadline of {milliseconds} ms");
        ensure!(crate::cpu::read_msr(TSC_DEADLINE) == 0, "the deadline is not cleared when it has passed");
    }
    // One in the past comes at once; one that is cleared does not come.
    let before = interrupts::count(VECTOR);
    write_msr(TSC_DEADLINE, 1);
    sleep_until(before, 1);
    write_msr(TSC_DEADLINE, tsc() + clock::hertz() / 200);
    write_msr(TSC_DEADLINE, 0);
    crate::cpu::enable_interrupts();
    clock::wait(20_000_000);
    crate::cpu::disable_interrupts();
    ensure!(interrupts::count(VECTOR) == before + 1, "a cancelled deadline came");
    Ok(())
}

/// Counts a millisecond.
fn rate() -> u32 {
    apic::write(reg::DIVIDE, BY_ONE);
    apic::write(reg::TIMER, MASKED | u32::from(VECTOR));
    apic::write(reg::INITIAL_COUNT, u32::MAX);
    clock::wait(10_000_000);
    (u32::MAX - apic::read(reg::CURRENT_COUNT)) / 10
}

fn one_shot(rate: u32) -> Outcome {
    apic::write(reg::TIMER, u32::from(VECTOR));
    for milliseconds in [1, 10] {
        let before = interrupts::count(VECTOR);
        let start = clock::nanoseconds();
        apic::write(reg::INITIAL_COUNT, rate.saturating_mul(milliseconds));
        sleep_until(before, 1);
        let took = clock::nanoseconds() - start;
        // The rate was measured, with an error of its own.
        ensure!(took > u64::from(milliseconds) * 800_000, "{took} ns for a one-shot of {milliseconds} ms");
        ensure!(apic::read(reg::CURRENT_COUNT) == 0, "the one-shot's count is not 0 at its end");
    }
    let before = interrupts::count(VECTOR);
    crate::cpu::enable_interrupts();
    clock::wait(20_000_000);
    crate::cpu::disable_interrupts();
    ensure!(interrupts::count(VECTOR) == before, "a one-shot came twice");
    Ok(())
}

fn periodic(rate: u32) -> Outcome {
    let before = interrupts::count(VECTOR);
    let start = clock::nanoseconds();
    apic::write(reg::TIMER, PERIODIC | u32::from(VECTOR));
    apic::write(reg::INITIAL_COUNT, rate.saturating_mul(5));
    sleep_until(before, 10);
    apic::write(reg::INITIAL_COUNT, 0);
    let took = clock::nanoseconds() - start;
    ensure!(took > 10 * 5 * 700_000, "{took} ns for 10 periods of 5 ms");
    crate::cpu::enable_interrupts();
    clock::wait(1_000_000);
    crate::cpu::disable_interrupts();
    let stopped = interrupts::count(VECTOR);
    crate::cpu::enable_interrupts();
    clock::wait(20_000_000);
    crate::cpu::disable_interrupts();
    ensure!(interrupts::count(VECTOR) == stopped, "a stopped periodic timer came");
    Ok(())
}

fn masked(rate: u32) -> Outcome {
    let before = interrupts::count(VECTOR);
    apic::write(reg::TIMER, MASKED | u32::from(VECTOR));
    apic::write(reg::INITIAL_COUNT, rate);
    crate::cpu::enable_interrupts();
    clock::wait(10_000_000);
    crate::cpu::disable_interrupts();
    ensure!(interrupts::count(VECTOR) == before, "a masked timer came");
    Ok(())
}
