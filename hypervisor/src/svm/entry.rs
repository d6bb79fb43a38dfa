//! VMRUN and back.

use crate::vcpu::Registers;
use core::arch::naked_asm;

/// Runs the guest of the VMCB at physical address `vmcb` until it exits; `host` is this CPU's host
/// area. RAX, RSP, RIP and RFLAGS are the VMCB's business, not `registers`'.
///
/// The global interrupt flag is clear from before VMRUN until the host's state is whole again, and
/// interrupts are enabled below it, so that a physical interrupt ends the guest's run but is taken
/// only where the scheduler opens its window (APM vol. 2, 15.17 and 15.21).
///
/// # Safety
/// The VMCB and everything that it points to must be valid and exclusively the caller's.
#[unsafe(link_section = ".text.exit")]
#[unsafe(naked)]
pub unsafe extern "sysv64" fn run(registers: *mut Registers, vmcb: u64, host: u64) {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "push rdi",
        "push rdx",
        "mov rax, rsi",
        "mov rcx, [rdi + 1*8]",
        "mov rdx, [rdi + 2*8]",
        "mov rbx, [rdi + 3*8]",
        "mov rbp, [rdi + 5*8]",
        "mov rsi, [rdi + 6*8]",
        "mov r8,  [rdi + 8*8]",
        "mov r9,  [rdi + 9*8]",
        "mov r10, [rdi + 10*8]",
        "mov r11, [rdi + 11*8]",
        "mov r12, [rdi + 12*8]",
        "mov r13, [rdi + 13*8]",
        "mov r14, [rdi + 14*8]",
        "mov r15, [rdi + 15*8]",
        "mov rdi, [rdi + 7*8]",
        "clgi",
        "sti",
        "vmload rax",
        "vmrun rax",
        "vmsave rax",
        "mov rax, [rsp]",
        "vmload rax",
        "mov rax, [rsp + 8]",
        "mov [rax + 1*8], rcx",
        "mov [rax + 2*8], rdx",
        "mov [rax + 3*8], rbx",
        "mov [rax + 5*8], rbp",
        "mov [rax + 6*8], rsi",
        "mov [rax + 7*8], rdi",
        "mov [rax + 8*8], r8",
        "mov [rax + 9*8], r9",
        "mov [rax + 10*8], r10",
        "mov [rax + 11*8], r11",
        "mov [rax + 12*8], r12",
        "mov [rax + 13*8], r13",
        "mov [rax + 14*8], r14",
        "mov [rax + 15*8], r15",
        "cli",
        "stgi",
        "add rsp, 16",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
    )
}
