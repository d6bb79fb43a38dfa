//! Starting a second processor: INIT, start-up IPI, a trampoline from real mode to long mode.

use crate::clock;
use crate::cpu::{apic, interrupts};
use core::arch::global_asm;
use core::ptr;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Page of the trampoline: free RAM below 1 MiB.
const TRAMPOLINE: u64 = 0x8000;

global_asm!(
    r#"
    .section .rodata.secondary, "a"
    .code16
    .global secondary_start
    .global secondary_end
    .balign 16
secondary_start:
    jmp 2f
    .balign 4
    .word 31                /* at 0x8004: the descriptor table's pointer */
    .long boot_gdt
2:  cli
    cld
    xor ax, ax
    mov ds, ax
    mov eax, 0x20
    mov cr4, eax
    mov eax, offset boot_pml4
    mov cr3, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x900
    wrmsr
    lgdt [0x8004]
    mov eax, 0x80010033
    mov cr0, eax
    .byte 0x66, 0xea        /* far jump with a 32-bit offset */
    .long secondary_long
    .word 8
secondary_end:

    .section .boot.text, "ax"
    .code64
    .global secondary_long
secondary_long:
    mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    mov rsp, offset secondary_stack + 65536
    xor ebp, ebp
    call {run}
    ud2

    .section .bss.secondary, "aw", @nobits
    .balign 16
secondary_stack: .skip 65536
"#,
    run = sym run,
);

// SAFETY: defined in the assembly above; only the addresses are used.
unsafe extern "C" {
    static secondary_start: u8;
    static secondary_end: u8;
}

/// The function that the second processor runs.
static WORK: AtomicUsize = AtomicUsize::new(0);
/// 0 not started, 1 running, 2 work done.
static STATE: AtomicU32 = AtomicU32::new(0);

extern "C" fn run() -> ! {
    interrupts::load();
    apic::enable();
    STATE.store(1, Ordering::SeqCst);
    let work = WORK.load(Ordering::SeqCst) as *const ();
    // SAFETY: only `start` stores to WORK, before this processor runs, and only values of this type.
    let work: fn() = unsafe { core::mem::transmute(work) };
    work();
    STATE.store(2, Ordering::SeqCst);
    loop {
        crate::cpu::halt_forever_step();
    }
}

/// Starts processor 1 on `work` (again, if its last work is done); false if it has not come up after a second.
pub fn start(work: fn()) -> bool {
    STATE.store(0, Ordering::SeqCst);
    WORK.store(work as usize, Ordering::SeqCst);
    let (first, last) = (&raw const secondary_start, &raw const secondary_end);
    // SAFETY: the trampoline's bytes, copied to a page of RAM that nothing else uses.
    unsafe { ptr::copy_nonoverlapping(first, TRAMPOLINE as *mut u8, last as usize - first as usize) };
    apic::send(1, apic::INIT);
    clock::wait(10_000_000);
    apic::send(1, apic::STARTUP | (TRAMPOLINE >> 12) as u32);
    if clock::wait_until(200_000_000, || STATE.load(Ordering::SeqCst) != 0) {
        return true;
    }
    // The SDM's sequence sends a second one; on a virtual machine the first should do.
    apic::send(1, apic::STARTUP | (TRAMPOLINE >> 12) as u32);
    clock::wait_until(1_000_000_000, || STATE.load(Ordering::SeqCst) != 0)
}

/// Waits until the second processor's work is done; false after `nanoseconds`.
pub fn join(nanoseconds: u64) -> bool {
    clock::wait_until(nanoseconds, || STATE.load(Ordering::SeqCst) == 2)
}
