//! What exits cost: a loop for each kind, its result as a line of JSON. Options: `rounds=` (default 20000).

use crate::boot::command_line;
use crate::cpu::apic::{self, reg};
use crate::cpu::{self, cpuid, hypercall, in8, interrupts, read_msr};
use crate::device::io_apic;
use crate::report::Outcome;
use crate::{clock, memory, println};
use abi::platform::{DEBUG_PORT, HYPERCALL_NOP};

fn measure(name: &str, rounds: u64, mut work: impl FnMut(u64)) {
    // The best of five: what the machine does besides only adds.
    let mut best = u64::MAX;
    for part in 0..5 {
        let start = clock::nanoseconds();
        for round in 0..rounds / 5 {
            work(part * (rounds / 5) + round);
        }
        best = best.min(clock::nanoseconds() - start);
    }
    let each = best * 5 / rounds.max(5);
    println!("{{\"benchmark\":\"{name}\",\"rounds\":{rounds},\"ns_per_op\":{each}}}");
}

fn is_amd() -> bool {
    cpuid(0, 0)[1] == u32::from_le_bytes(*b"Auth")
}

pub fn run() -> Outcome {
    let rounds = command_line::number("rounds", 20_000).max(5);
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
            cpu::sleep();
        }
    });
    apic::write(reg::DIVIDE, 0xb);
    apic::write(reg::TIMER, 0x51);
    measure("halt", rounds / 20, |_| {
        let before = interrupts::count(0x51);
        apic::write(reg::INITIAL_COUNT, 1000);
        while interrupts::count(0x51) == before {
            cpu::sleep();
        }
    });
    // Each page once: nothing of it is in memory before.
    measure("first_touch", memory::pages() / 5 * 5, |page| memory::write(page, 0, 1));
    measure("second_touch", memory::pages() / 5 * 5, |page| memory::write(page, 0, 2));
    Ok(())
}
