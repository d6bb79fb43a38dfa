//! Single instructions, as safe functions: in a test guest none of them can break what Rust relies on,
//! short of the cases that mean to end the machine.

use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, _rdtsc};

/// EAX, EBX, ECX, EDX.
pub fn cpuid(leaf: u32, subleaf: u32) -> [u32; 4] {
    let r = __cpuid_count(leaf, subleaf);
    [r.eax, r.ebx, r.ecx, r.edx]
}

/// Time-stamp counter.
pub fn tsc() -> u64 {
    // SAFETY: reads a counter.
    unsafe { _rdtsc() }
}

/// Reads a port.
pub fn in8(port: u16) -> u8 {
    // SAFETY: port accesses of this guest do no DMA and touch no memory.
    unsafe { x86::io::inb(port) }
}

/// Reads a port.
pub fn in16(port: u16) -> u16 {
    // SAFETY: as in `in8`.
    unsafe { x86::io::inw(port) }
}

/// Reads a port.
pub fn in32(port: u16) -> u32 {
    // SAFETY: as in `in8`.
    unsafe { x86::io::inl(port) }
}

/// Writes a port.
pub fn out8(port: u16, value: u8) {
    // SAFETY: as in `in8`.
    unsafe { x86::io::outb(port, value) }
}

/// Writes a port.
pub fn out16(port: u16, value: u16) {
    // SAFETY: as in `in8`.
    unsafe { x86::io::outw(port, value) }
}

/// Writes a port.
pub fn out32(port: u16, value: u32) {
    // SAFETY: as in `in8`.
    unsafe { x86::io::outl(port, value) }
}

/// Reads a model-specific register that exists (else: the machine dies of #GP; see [`super::probe`]).
pub fn read_msr(register: u32) -> u64 {
    // SAFETY: reading has no effect on memory.
    unsafe { x86::msr::rdmsr(register) }
}

/// Writes a model-specific register that exists.
pub fn write_msr(register: u32, value: u64) {
    // SAFETY: callers write APIC, clock and timer registers with addresses of statics.
    unsafe { x86::msr::wrmsr(register, value) }
}

/// Lets interrupts in.
pub fn enable_interrupts() {
    // SAFETY: the IDT is loaded before any case runs.
    unsafe { asm!("sti", options(nostack)) }
}

/// Keeps interrupts out.
pub fn disable_interrupts() {
    // SAFETY: changes only the interrupt flag.
    unsafe { asm!("cli", options(nostack)) }
}

/// Sleeps until an interrupt was handled; interrupts are off before and after, none gets lost between.
pub fn sleep() {
    // SAFETY: STI takes effect after HLT has begun; handlers save what they use.
    unsafe { asm!("sti", "hlt", "cli", options(nostack)) }
}

/// Takes interrupts that wait, and none afterwards.
pub fn take_interrupts() {
    // SAFETY: they are taken after the NOP, when STI's shadow is over; handlers save what they use.
    unsafe { asm!("sti", "nop", "nop", "cli", options(nostack)) }
}

/// Halts once, with interrupts off: only an NMI or INIT ends it.
pub fn halt_forever_step() {
    // SAFETY: touches nothing.
    unsafe { asm!("cli", "hlt", options(nostack)) }
}

/// The hypercall that does nothing. `amd`: VMMCALL, else VMCALL.
pub fn hypercall(number: u64, amd: bool) -> u64 {
    let result;
    // SAFETY: both instructions give RAX and touch no memory.
    unsafe {
        if amd {
            asm!("vmmcall", inlateout("rax") number => result, options(nostack));
        } else {
            asm!("vmcall", inlateout("rax") number => result, options(nostack));
        }
    }
    result
}

/// Number of this processor: its APIC identifier.
pub fn number() -> u32 {
    cpuid(1, 0)[1] >> 24
}
