//! The end: a crash of the hypervisor is our bug and says so as fully as it can.

use super::{idt::Frame, register};
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};
use heapless::String;

/// Set by `reboot=panic`.
pub static REBOOT: AtomicBool = AtomicBool::new(false);
static PANICKED: AtomicBool = AtomicBool::new(false);

/// An exception in the hypervisor.
pub fn exception(frame: &Frame) -> ! {
    let mut text = String::<512>::new();
    let _ = write!(
        text,
        "exception {} error {:#x} at {:#x} rsp {:#x} cr2 {:#x} rax {:#x} rbx {:#x} rcx {:#x} rdx {:#x} rsi {:#x} rdi {:#x}",
        frame.vector,
        frame.error,
        frame.rip,
        frame.rsp,
        register::cr2(),
        frame.rax,
        frame.rbx,
        frame.rcx,
        frame.rdx,
        frame.rsi,
        frame.rdi
    );
    die(&text, frame.rbp)
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut text = String::<512>::new();
    let _ = write!(text, "{info}");
    let frame: u64;
    // SAFETY: reads a register.
    unsafe { core::arch::asm!("mov {}, rbp", out(reg) frame) };
    die(&text, frame)
}

/// Stops the other CPUs, writes the record, without locks, and stops or resets the machine.
fn die(text: &str, frame: u64) -> ! {
    stop_others();
    let mut head = String::<128>::new();
    let _ = write!(head, "\n*** Hypercube crashed on CPU {} (a bug of the hypervisor):", super::index());
    crate::log::emergency(&head);
    crate::log::emergency(text);
    backtrace(frame);
    if REBOOT.load(Ordering::Relaxed) {
        super::port::write8(0xcf9, 6);
    }
    halt()
}

/// By an interrupt that they cannot hold back, wherever they are. They take it in [`stop_if_crashed`]. Only the
/// first CPU comes back from here.
fn stop_others() {
    if PANICKED.swap(true, Ordering::SeqCst) {
        halt();
    }
    let others = (0..super::count()).filter(|&number| number != super::index()).filter_map(super::of);
    for other in others.filter(|other| other.online.load(Ordering::SeqCst)) {
        super::lapic::send_nmi(other.apic_id.load(Ordering::Relaxed));
    }
}

/// A non-maskable interrupt arrived: this CPU stops if another one has crashed, or refuses the machine.
pub fn stop_if_crashed() {
    if PANICKED.load(Ordering::SeqCst) {
        halt();
    }
}

/// Return addresses along the frame pointers; `scripts/symbols` names them.
fn backtrace(mut frame: u64) {
    for _ in 0..24 {
        if frame < crate::memory::direct::IMAGE_BASE && !crate::memory::direct::contains(frame)
            || !frame.is_multiple_of(8)
        {
            return;
        }
        // SAFETY: the address is aligned and inside the image's or the direct mapping; a torn
        // chain reads garbage, not faults.
        let [next, address] = unsafe { core::ptr::with_exposed_provenance::<[u64; 2]>(frame as usize).read_volatile() };
        let mut line = String::<40>::new();
        let _ = write!(line, "  at {address:#018x}");
        crate::log::emergency(&line);
        if next <= frame {
            return;
        }
        frame = next;
    }
}

/// Stops this CPU for good.
pub fn halt() -> ! {
    loop {
        // SAFETY: stops the CPU; nothing runs after it.
        unsafe { core::arch::asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// The machine cannot be used: one clear line, no crash record. Other CPUs may wait for dom0 already.
pub fn refuse(reason: &str) -> ! {
    stop_others();
    let mut line = String::<256>::new();
    let _ = write!(line, "Hypercube cannot start: {reason}");
    crate::log::emergency(&line);
    halt()
}
