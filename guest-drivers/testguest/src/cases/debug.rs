//! Debug exceptions reach the guest as on a real processor, and its debug registers are its own: zero at
//! first, and kept while other domains use the processor. Options: `mark=`, to tell guests apart; `arm=1`: with
//! breakpoints, which QEMU's TCG does not live through when a guest changes processors meanwhile.

use crate::boot::command_line;
use crate::cpu::debug::{self, Kind};
use crate::cpu::interrupts::{self, Frame};
use crate::cpu::{cpuid, tsc};
use crate::report::Outcome;
use crate::{clock, ensure};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

/// DR6 and RIP at the last debug exception.
static CAUSES: AtomicU64 = AtomicU64::new(0);
static PLACE: AtomicU64 = AtomicU64::new(0);
static WATCHED: AtomicU64 = AtomicU64::new(0);
const TRAP: u64 = 1 << 8;
const RESUME: u64 = 1 << 16;
const SINGLE_STEP: u64 = 1 << 14;

fn caught(frame: &mut Frame) {
    CAUSES.store(debug::dr6(), Ordering::SeqCst);
    PLACE.store(frame.rip, Ordering::SeqCst);
    debug::set_dr6(debug::DR6_RESET);
    frame.rflags = frame.rflags & !TRAP | RESUME;
}

pub fn run() -> Outcome {
    let found = debug::addresses();
    ensure!(found == [0; 4], "another domain's addresses: {found:x?}");
    ensure!(debug::dr7() == debug::DR7_RESET, "DR7 is {:#x} at first", debug::dr7());
    interrupts::on_exception(debug::VECTOR, caught);
    step()?;
    if command_line::number("arm", 0) != 0 {
        breakpoints()?;
    }
    keep()
}

/// One more debug exception since `before`, for this reason, at `place`.
fn expect(what: &str, before: u64, cause: u64, place: Option<u64>) -> Outcome {
    let (count, causes) = (interrupts::count(debug::VECTOR) - before, CAUSES.load(Ordering::SeqCst));
    ensure!(count == 1, "{what}: {count} debug exceptions");
    ensure!(causes & (0xf | SINGLE_STEP) == cause, "{what}: DR6 is {causes:#x}");
    let found = PLACE.load(Ordering::SeqCst);
    ensure!(place.is_none_or(|place| place == found), "{what}: at {found:#x}, not {place:x?}");
    Ok(())
}

/// A single step over an ordinary instruction, and over one that the hypervisor emulates.
fn step() -> Outcome {
    let before = interrupts::count(debug::VECTOR);
    let place: u64;
    // SAFETY: the handler clears the trap flag; no memory but the stack is touched.
    unsafe {
        asm!("pushfq", "or dword ptr [rsp], 0x100", "lea {place}, [rip + 2f]", "popfq", "nop", "2: nop",
            place = out(reg) place);
    }
    expect("NOP", before, SINGLE_STEP, Some(place))?;
    let before = interrupts::count(debug::VECTOR);
    // SAFETY: as above; RBX, which CPUID changes, is put back.
    unsafe {
        asm!("mov {kept}, rbx", "pushfq", "or dword ptr [rsp], 0x100", "lea {place}, [rip + 2f]", "popfq", "cpuid",
            "2: nop", "mov rbx, {kept}",
            place = out(reg) _, kept = out(reg) _, inout("eax") 0 => _, inout("ecx") 0 => _, out("edx") _);
    }
    expect("CPUID", before, SINGLE_STEP, None)
}

fn breakpoints() -> Outcome {
    let before = interrupts::count(debug::VECTOR);
    debug::arm(1, WATCHED.as_ptr() as u64, Kind::Write8);
    WATCHED.store(1, Ordering::SeqCst);
    debug::disarm();
    expect("write", before, 1 << 1, None)?;

    let before = interrupts::count(debug::VECTOR);
    let place: u64;
    // SAFETY: reads an address.
    unsafe { asm!("lea {}, [rip + {}]", out(reg) place, sym target) };
    debug::arm(2, place, Kind::Execute);
    target();
    debug::disarm();
    expect("execution", before, 1 << 2, Some(place))
}

#[inline(never)]
extern "C" fn target() {
    // SAFETY: does nothing; keeps the call from being left out.
    unsafe { asm!("nop", options(nostack)) }
}

/// Addresses stay, whoever else uses the processor, and so does DR6.
fn keep() -> Outcome {
    let mark = command_line::number("mark", 7) << 32;
    let mine = [mark | 0x1000, mark | 0x2000, mark | 0x3000, mark | 0x4000];
    debug::set_addresses(mine);
    debug::set_dr6(debug::DR6_RESET | 1 << 3);
    let end = clock::nanoseconds() + 300_000_000;
    while clock::nanoseconds() < end {
        cpuid(tsc() as u32 & 7, 0);
        let (found, causes) = (debug::addresses(), debug::dr6());
        ensure!(found == mine, "addresses {found:x?}, not {mine:x?}");
        ensure!(causes & 0xf == 1 << 3, "DR6 {causes:#x}");
    }
    Ok(())
}
