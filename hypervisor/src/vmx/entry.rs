//! VMLAUNCH or VMRESUME, and back.

use crate::vcpu::Registers;
use core::arch::naked_asm;
use x86::vmx::vmcs::host;

/// Enters the guest of the current VMCS until it exits: 0 after an exit, 1 if the processor refused
/// the entry with an error number in the VMCS, 2 if there is no current VMCS. RSP, RIP and RFLAGS
/// are the VMCS's business, not `registers`'.
///
/// An exit clears RFLAGS but for its fixed bit, so interrupts are off and strings go upwards. The
/// guest's values are cleared from registers that the caller does not get back, so that no
/// speculation of the hypervisor starts from them.
///
/// # Safety
/// The VMCS must be the caller's, its host state that of this CPU, and everything that it points to
/// must be valid and stay so.
#[unsafe(link_section = ".text.exit")]
#[unsafe(naked)]
pub unsafe extern "sysv64" fn run(registers: *mut Registers, launched: bool) -> u64 {
    naked_asm!(
        "push rbx", "push rbp", "push r12", "push r13", "push r14", "push r15",
        "push rdi",
        "mov eax, {host_rsp}",
        "vmwrite rax, rsp",
        "mov eax, {host_rip}",
        "lea rcx, [rip + 4f]",
        "vmwrite rax, rcx",
        "test sil, sil",
        "mov rax, [rdi]",
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
        "jz 2f",
        "vmresume",
        "jmp 3f",
        "2: vmlaunch",
        "3: mov eax, 1",             // refused: CF says "no current VMCS"
        "mov ecx, 2",
        "cmovc eax, ecx",
        "pop rdi",
        "jmp 5f",
        "4: push rdi",               // an exit: the address of `registers` is below
        "mov rdi, [rsp + 8]",
        "mov [rdi], rax",
        "mov [rdi + 1*8], rcx",
        "mov [rdi + 2*8], rdx",
        "mov [rdi + 3*8], rbx",
        "mov [rdi + 5*8], rbp",
        "mov [rdi + 6*8], rsi",
        "pop qword ptr [rdi + 7*8]",
        "mov [rdi + 8*8], r8",
        "mov [rdi + 9*8], r9",
        "mov [rdi + 10*8], r10",
        "mov [rdi + 11*8], r11",
        "mov [rdi + 12*8], r12",
        "mov [rdi + 13*8], r13",
        "mov [rdi + 14*8], r14",
        "mov [rdi + 15*8], r15",
        "pop rdi",
        "xor eax, eax",
        "5: xor ecx, ecx", "xor edx, edx", "xor esi, esi", "xor edi, edi",
        "xor r8d, r8d", "xor r9d, r9d", "xor r10d, r10d", "xor r11d, r11d",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbp", "pop rbx",
        "ret",
        host_rsp = const host::RSP,
        host_rip = const host::RIP,
    )
}
