//! What exits cost: a loop for each kind, its result as a line of JSON. Options: `rounds=` (default 20000);
//! `awake=1`: nothing that sleeps, for a monitor whose guests may not wake up.

use crate::boot::command_line;
use crate::cpu::apic::{self, reg};
use crate::cpu::{self, cpuid, hypercall, in8, interrupts, read_msr};
use crate::device::io_apic;
use crate::report::Outcome;
use crate::{clock, memory, println};
use abi::platform::{DEBUG_PORT, HYPERCALL_NOP};

/// So many parts of a measurement, each short against what else the machine may do meanwhile.
const PARTS: u64 = 50;

fn measure(name: &str, rounds: u64, work: impl FnMut(u64)) {
    measure_in(PARTS, name, rounds, work);
}

fn measure_in(parts: u64, name: &str, rounds: u64, mut work: impl FnMut(u64)) {
    // The best part: what the machine does besides only adds.
    let (mut best, each) = (u64::MAX, (rounds / parts).max(1));
    for part in 0..parts {
        let start = clock::nanoseconds();
        for round in 0..each {
            work(part * each + round);
        }
        best = best.min(clock::nanoseconds() - start);
    }
    let each = best / each;
    println!("{{\"benchmark\":\"{name}\",\"rounds\":{rounds},\"ns_per_op\":{each}}}");
}

fn is_amd() -> bool {
    cpuid(0, 0)[1] == u32::from_le_bytes(*b"Auth")
}

/// Sleeps until its timer wakes it up.
fn halts(rounds: u64) {
    apic::write(reg::DIVIDE, 0xb);
    apic::write(reg::TIMER, 0x51);
    measure("halt", rounds, |_| {
        let before = interrupts::count(0x51);
        apic::write(reg::INITIAL_COUNT, 1000);
        while interrupts::count(0x51) == before {
            cpu::sleep();
        }
    });
}

pub fn run() -> Outcome {
    let rounds = command_line::number("rounds", 20_000).max(PARTS);
    measure("cpuid", rounds, |_| {
        cpuid(0x4000_0000, 0);
    });
    measure("port", rounds, |_| {
        in8(DEBUG_PORT);
    });
    measure("mmio", rounds, |_| {
        io_apic::index();
    });
    if clock::kvm_features().is_some() {
        let amd = is_amd();
        measure("hypercall", rounds, |_| {
            hypercall(HYPERCALL_NOP, amd);
        });
    }
    measure("msr", rounds, |_| {
        read_msr(0x1b);
    });
    measure("interrupt", rounds / 5, |_| {
        let before = interrupts::count(0x50);
        apic::send(cpu::number(), apic::FIXED | 0x50);
        while interrupts::count(0x50) == before {
            cpu::take_interrupts();
        }
    });
    if command_line::number("awake", 0) == 0 {
        halts(rounds / 20);
    }
    // Each page once: nothing of it is in memory before. Long parts: a host may give 2 MiB at a time.
    let pages = memory::pages() / 5 * 5;
    measure_in(5, "first_touch", pages, |page| memory::write(page, 0, 1));
    measure_in(5, "second_touch", pages, |page| memory::write(page, 0, 2));
    Ok(())
}
