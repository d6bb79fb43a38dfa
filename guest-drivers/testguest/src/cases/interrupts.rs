//! Interrupts on one processor: self-IPIs, priorities, the task priority, nesting, the shadow of STI,
//! and the IO-APIC by way of the 16550. Another case, `typed`: that one's input.

use crate::cpu::apic::{self, reg};
use crate::cpu::{self, in8, interrupts, out8};
use crate::device::io_apic;
use crate::report::Outcome;
use crate::{clock, ensure, println};
use abi::platform::{UART_GSI, UART_PORT};
use core::arch::asm;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const LOW: u8 = 0x50;
const LOW_TOO: u8 = 0x51;
const HIGH: u8 = 0x90;
const UART: u8 = 0x60;
/// Nanoseconds in which what should come does.
const SECOND: u64 = 1_000_000_000;
/// Nanoseconds in which what should not come would.
const MOMENT: u64 = 10_000_000;

/// Vectors (and, with bit 0 set in a second entry, the ends of their handlers) in the order in which they came.
static LOG: [AtomicU8; 16] = [const { AtomicU8::new(0) }; 16];
static LENGTH: AtomicUsize = AtomicUsize::new(0);

fn log(entry: u8) {
    let n = LENGTH.fetch_add(1, Ordering::SeqCst);
    if let Some(place) = LOG.get(n) {
        place.store(entry, Ordering::SeqCst);
    }
}

fn taken() -> ([u8; 16], usize) {
    let length = LENGTH.swap(0, Ordering::SeqCst);
    (core::array::from_fn(|n| LOG.get(n).map_or(0, |entry| entry.swap(0, Ordering::SeqCst))), length)
}

/// Sends this processor an interrupt.
fn send(vector: u8) {
    apic::send(cpu::number(), apic::FIXED | u32::from(vector));
}

/// Lets pending interrupts in for a moment.
fn window() {
    cpu::enable_interrupts();
    clock::wait(200_000);
    cpu::disable_interrupts();
}

pub fn run() -> Outcome {
    interrupts::handle(LOW, || log(LOW));
    interrupts::handle(LOW_TOO, || log(LOW_TOO));
    interrupts::handle(HIGH, || log(HIGH));
    many()?;
    order()?;
    task_priority()?;
    shadow()?;
    nested()?;
    io_apic()
}

fn many() -> Outcome {
    for n in 1..=300 {
        if apic::is_x2() && n % 2 == 0 {
            cpu::write_msr(0x83f, u64::from(LOW));
        } else {
            send(LOW);
        }
        cpu::enable_interrupts();
        let came = clock::wait_until(1_000_000_000, || interrupts::count(LOW) == n);
        cpu::disable_interrupts();
        ensure!(came, "self-IPI {n} did not come: {} so far", interrupts::count(LOW));
    }
    taken();
    Ok(())
}

fn order() -> Outcome {
    send(LOW);
    send(HIGH);
    send(LOW);
    ensure!(apic::is_requested(LOW) && apic::is_requested(HIGH), "sent interrupts are not in the request register");
    window();
    let (log, length) = taken();
    ensure!(length == 2 && log[..2] == [HIGH, LOW], "two pending vectors came as {log:x?}");
    ensure!(!apic::is_requested(LOW), "a delivered interrupt stays in the request register");
    Ok(())
}

fn task_priority() -> Outcome {
    apic::write(reg::TPR, 0x60);
    let cr8: u64;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, cr8", out(reg) cr8) };
    ensure!(cr8 == 6, "CR8 is {cr8} under a task priority of 0x60");
    send(LOW);
    send(HIGH);
    window();
    let (log, length) = taken();
    ensure!(length == 1 && log[0] == HIGH, "under a task priority of 0x60 came {log:x?}");
    // SAFETY: sets the task priority.
    unsafe { asm!("mov cr8, {}", in(reg) 0u64) };
    ensure!(apic::read(reg::TPR) == 0, "the task priority is {:#x} after CR8 = 0", apic::read(reg::TPR));
    window();
    let (log, length) = taken();
    ensure!(length == 1 && log[0] == LOW, "after the task priority was lowered came {log:x?}");
    Ok(())
}

fn shadow() -> Outcome {
    send(LOW);
    // SAFETY: no interrupt may come between the two (SDM volume 2, STI).
    unsafe { asm!("sti", "cli") };
    let early = taken().1;
    window();
    ensure!(early == 0, "an interrupt came in the shadow of STI");
    ensure!(taken().1 == 1, "the interrupt that was held back did not come");
    Ok(())
}

fn nested() -> Outcome {
    interrupts::handle(LOW, || {
        log(LOW);
        send(LOW_TOO);
        send(HIGH);
        window();
        log(LOW | 1 << 7);
    });
    send(LOW);
    window();
    let (log, length) = taken();
    ensure!(length == 4 && log[..4] == [LOW, HIGH, LOW | 1 << 7, LOW_TOO], "nested interrupts came as {log:x?}");
    Ok(())
}

fn io_apic() -> Outcome {
    ensure!(io_apic::read(1) >> 16 & 0xff >= 23, "the IO-APIC's version is {:#x}", io_apic::read(1));
    // Modem control: OUT2 connects the interrupt.
    out8(UART_PORT + 4, 0x0b);
    let vector = u32::from(UART);
    for entry in [vector, vector | io_apic::LEVEL] {
        io_apic::route(UART_GSI, entry, cpu::number());
        let routed = io_apic::routed(UART_GSI);
        ensure!(routed == entry, "the redirection entry reads {routed:#x}, not {entry:#x}");
        // A level-triggered one comes again only if the end of the first at the local APIC was told to the IO-APIC.
        for time in ["first", "second"] {
            ensure!(uart_interrupts(SECOND), "the {time} interrupt of the 16550 by {entry:#x} did not come");
        }
        let routed = io_apic::routed(UART_GSI);
        ensure!(routed == entry, "the redirection entry reads {routed:#x} after its interrupts, not {entry:#x}");
    }
    io_apic::mask(UART_GSI);
    ensure!(!uart_interrupts(MOMENT), "a masked input interrupted");
    // There are no NMIs in this machine; a vector is not what comes instead.
    io_apic::route(UART_GSI, vector | io_apic::NMI, cpu::number());
    let came = uart_interrupts(MOMENT);
    io_apic::mask(UART_GSI);
    ensure!(!came, "an entry that asks for an NMI raised its vector");
    Ok(())
}

/// Input that waits interrupts once it may. Needs someone who types when this says that it is ready.
pub fn typed() -> Outcome {
    io_apic::route(UART_GSI, u32::from(UART), cpu::number());
    out8(UART_PORT + 4, 0x0b);
    println!("READY typed");
    let waits = || in8(UART_PORT + 5) & 1 != 0;
    ensure!(clock::wait_until(60 * SECOND, waits), "nobody types");
    out8(UART_PORT + 1, 1);
    cpu::enable_interrupts();
    let came = clock::wait_until(SECOND, || interrupts::count(UART) > 0);
    cpu::disable_interrupts();
    ensure!(in8(UART_PORT + 2) == 0xc4, "the 16550 does not say that it has input");
    ensure!(came, "input that was there before its interrupt was switched on does not interrupt");
    Ok(())
}

/// Has the 16550 tell that its transmitter is empty; whether that interrupts within `limit` nanoseconds.
fn uart_interrupts(limit: u64) -> bool {
    let before = interrupts::count(UART);
    out8(UART_PORT + 1, 2);
    cpu::enable_interrupts();
    let came = clock::wait_until(limit, || interrupts::count(UART) > before);
    out8(UART_PORT + 1, 0);
    cpu::disable_interrupts();
    came
}
