//! Interrupts on one processor: self-IPIs, priorities, the task priority, nesting, the shadow of STI,
//! and the IO-APIC by way of the 16550.

use crate::cpu::apic::{self, reg};
use crate::cpu::{self, interrupts, out8};
use crate::device::io_apic;
use crate::report::Outcome;
use crate::{clock, ensure};
use abi::platform::{UART_GSI, UART_PORT};
use core::arch::asm;
use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

const LOW: u8 = 0x50;
const LOW_TOO: u8 = 0x51;
const HIGH: u8 = 0x90;
const UART: u8 = 0x60;

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
    io_apic::route(UART_GSI, UART, cpu::number());
    let routed = io_apic::read(0x10 + 2 * UART_GSI);
    ensure!(routed == u32::from(UART), "the redirection entry reads {routed:#x}");
    // Modem control: OUT2 connects the interrupt; interrupt enable: transmitter empty.
    out8(UART_PORT + 4, 0x0b);
    out8(UART_PORT + 1, 2);
    cpu::enable_interrupts();
    let came = clock::wait_until(1_000_000_000, || interrupts::count(UART) > 0);
    out8(UART_PORT + 1, 0);
    cpu::disable_interrupts();
    io_apic::mask(UART_GSI);
    ensure!(came, "the 16550's interrupt did not come");
    let masked = interrupts::count(UART);
    out8(UART_PORT + 1, 2);
    window();
    out8(UART_PORT + 1, 0);
    ensure!(interrupts::count(UART) == masked, "a masked input interrupted");
    Ok(())
}
